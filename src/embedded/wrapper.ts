// The shell script between natchet and its server. It does what a JavaScript runtime cannot: hold a kernel lock, and outlive a SIGKILL of the owner by
// the milliseconds it takes to stop the server.

/** Exit code of the wrapper when another process holds the lock of the directory. */
export const lockIsTaken = 75;

/**
 * Arguments after the script's name: lock file, numbered lock file (for systems without `flock`), directory for ports files, log file, then the
 * server's command.
 *
 * - Descriptor 9 is inherited by the server itself, so the lock is held exactly as long as the server lives, whoever is killed.
 * - The owner's end closes the wrapper's standard input, and that stops the server. The pipe is duplicated first because a background command gets /dev/null.
 * - Without `flock` the server's process id stands in the lock file from before its first moment, so that it counts as a holder whoever was killed.
 * - What goes wrong here, and what the server says before it has its log, stands in that log.
 * - Ports files of dead servers are removed under the lock, where nobody else can be about to write one.
 */
export const wrapperScript = `
exec 3<&0 2>>"$4"
own=/dev/null
if command -v flock >/dev/null 2>&1; then
  exec 9>>"$1"
  flock -n 9 || exit ${lockIsTaken}
else
  set -C
  { echo $$ >"$2"; } 2>/dev/null || exit ${lockIsTaken}
  set +C
  own=$2
  for last in "$1".[0-9]*; do :; done
  [ "$last" = "$2" ] || { rm -f "$2"; exit ${lockIsTaken}; }
fi
rm -rf "$1".ports.*
mkdir "$3" || exit 1
shift 4
/bin/sh -c 'echo $$ >>"$0"; exec "$@"' "$own" "$@" </dev/null 3<&- & server=$!
( read -r _ <&3; kill -TERM $server 2>/dev/null ) 9<&- & watcher=$!
exec 3<&-
wait $server; code=$?
kill $watcher 2>/dev/null
exit $code
`;

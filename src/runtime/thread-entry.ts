/** What a thread can be started with: `node:worker_threads` takes files, which modules from a registry (JSR) are not. */
export const threadEntry = (module: URL): URL =>
  /^https?:$/.test(module.protocol)
    ? new URL(`data:text/javascript,${encodeURIComponent(`import ${JSON.stringify(module.href)};`)}`)
    : module;

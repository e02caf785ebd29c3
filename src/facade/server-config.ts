// The configuration of a nats-server that keeps namespaces and roles apart.

import { type Role, rightsOf, roles } from "../nats/roles.ts";
import { Subjects } from "../wire/subjects.ts";

export interface ServerConfigOptions {
  /** Each gets its own account: the only boundary that NATS enforces for everything. */
  readonly namespaces: readonly string[];
  readonly password: (namespace: string, role: Role) => string;
}

/** The `accounts` block, with a user for each role of each namespace. */
export function serverConfig({ namespaces, password }: ServerConfigOptions): string {
  const accounts = namespaces.map((namespace) => {
    const subjects = new Subjects(namespace);
    const users = roles.map((role) => userOf(role, subjects, password(namespace, role)));
    return `  ${quoted(`natchet_${namespace}`)}: {\n    jetstream: enabled\n    users: [\n${users.join("\n")}\n    ]\n  }`;
  });
  return `accounts {\n${accounts.join("\n")}\n}\n`;
}

function userOf(role: Role, subjects: Subjects, password: string): string {
  const { about, inboxPrefix, publish, subscribe, answers } = rightsOf(role, subjects);
  const user = `${subjects.namespace}_${role}`;
  return `      # ${about}
      # NATS_USER=${user} NATCHET_NAMESPACE=${subjects.namespace} NATCHET_INBOX_PREFIX=${inboxPrefix}
      {
        user: ${quoted(user)}, password: ${quoted(password)}
        permissions: {
          publish: [${list(publish)}]
          subscribe: [${list(subscribe)}]${answers ? '\n          allow_responses: { max: 1, expires: "10s" }' : ""}
        }
      }`;
}

const quoted = (text: string): string => JSON.stringify(text);
const list = (subjects: readonly string[]): string =>
  `${subjects.map((subject) => `\n            ${quoted(subject)}`).join("")}\n          `;

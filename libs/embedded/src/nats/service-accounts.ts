/** Who logs in to NATS: the three services, clients (CLI, SDK, subscribers), and the operator that sets the streams up. */
export const NATS_ROLES = ['scheduler', 'chain-catalog', 'mover', 'client', 'operator'] as const;
export type NatsRole = (typeof NATS_ROLES)[number];

export interface NatsUser {
  user: string;
  password: string;
}

/** NATS permissions of one user: subjects it may publish to and subscribe to; `deny` wins. */
export interface NatsPermissions {
  publish: { allow: readonly string[]; deny: readonly string[] };
  subscribe: { allow: readonly string[]; deny: readonly string[] };
}

const LOG = 'CATENA_EVENTS';

/** What would take events out of the log, or put others into their place. Nobody may, not even the operator. */
const DESTROYS_THE_LOG = [
  `$JS.API.STREAM.PURGE.${LOG}`,
  `$JS.API.STREAM.DELETE.${LOG}`,
  `$JS.API.STREAM.MSG.DELETE.${LOG}`,
  '$JS.API.ACCOUNT.PURGE.>',
];

/** What sets the log's stream up or changes its limits: the operator only. */
const SHAPES_THE_LOG = [
  `$JS.API.STREAM.CREATE.${LOG}`,
  `$JS.API.STREAM.UPDATE.${LOG}`,
  `$JS.API.STREAM.RESTORE.${LOG}`,
  `$JS.API.STREAM.PEER.REMOVE.${LOG}`,
  `$JS.API.STREAM.LEADER.STEPDOWN.${LOG}`,
];

const SUBSCRIBE = { allow: ['catena.>', '_INBOX.>', '$KV.>'], deny: ['$SYS.>'] };
const WORK = ['catena.>', '_INBOX.>', '$JS.API.>', '$JS.ACK.>', '$JS.FC.>', '$KV.>'];

/** Services append, work on jobs and requests, and read; the log's stream is beyond them in every other way. */
const SERVICE: NatsPermissions = {
  publish: { allow: WORK, deny: ['$SYS.>', ...DESTROYS_THE_LOG, ...SHAPES_THE_LOG] },
  subscribe: SUBSCRIBE,
};

/** The operator also sets the streams up. */
const OPERATOR: NatsPermissions = {
  publish: { allow: WORK, deny: ['$SYS.>', ...DESTROYS_THE_LOG] },
  subscribe: SUBSCRIBE,
};

/** What clients read: the log, deliveries that failed for good, and those that an operator wants made again. */
const READ_BY_CLIENTS = [LOG, 'CATENA_DEAD_LETTERS', 'CATENA_REDELIVERIES'];

/** Reading a stream with consumers of one's own. */
const consuming = (stream: string): string[] => [
  `$JS.API.STREAM.MSG.GET.${stream}`,
  `$JS.API.DIRECT.GET.${stream}`,
  `$JS.API.DIRECT.GET.${stream}.>`,
  `$JS.API.CONSUMER.NAMES.${stream}`,
  `$JS.API.CONSUMER.LIST.${stream}`,
  `$JS.API.CONSUMER.CREATE.${stream}`,
  `$JS.API.CONSUMER.CREATE.${stream}.>`,
  `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.*`,
  `$JS.API.CONSUMER.INFO.${stream}.*`,
  `$JS.API.CONSUMER.DELETE.${stream}.*`,
  `$JS.API.CONSUMER.MSG.NEXT.${stream}.*`,
  `$JS.ACK.${stream}.>`,
  // The longer form that carries domain and account hash.
  `$JS.ACK.*.*.${stream}.>`,
];

/**
 * Clients ask (requests), read the log with consumers of their own and put down what they could not handle; they
 * append nothing to the log, take no jobs and answer nobody's requests.
 */
const CLIENT: NatsPermissions = {
  publish: {
    allow: [
      'catena.requests.>',
      'catena.cancel.>',
      'catena.dead.>',
      '_INBOX.>',
      '$JS.API.INFO',
      '$JS.API.STREAM.NAMES',
      '$JS.API.STREAM.LIST',
      '$JS.API.STREAM.INFO.*',
      ...READ_BY_CLIENTS.flatMap(consuming),
      '$JS.FC.>',
    ],
    deny: ['$SYS.>'],
  },
  subscribe: { allow: ['catena.progress.>', '_INBOX.>'], deny: ['$SYS.>'] },
};

export function permissionsOf(role: NatsRole): NatsPermissions {
  if (role === 'client') return CLIENT;
  return role === 'operator' ? OPERATOR : SERVICE;
}

export interface AccountsText {
  /** The text of each password value: quoted, or a `$VARIABLE` of the server's environment. */
  passwordOf: (role: NatsRole) => string;
  /** User blocks to put beside those of the roles. */
  more?: readonly string[];
}

/** The accounts block of a NATS configuration: one account with a user per role. */
export function renderAccounts({ passwordOf, more = [] }: AccountsText): string {
  const users = NATS_ROLES.map((role) => renderUser(role, passwordOf(role), permissionsOf(role)));
  return [
    'accounts {',
    '  CATENA {',
    '    jetstream: enabled',
    '    users: [',
    ...[...users, ...more],
    '    ]',
    '  }',
    '  SYS {}',
    '}',
    'system_account: SYS',
    '',
  ].join('\n');
}

function renderUser(user: string, password: string, { publish, subscribe }: NatsPermissions): string {
  return [
    '      {',
    `        user: ${JSON.stringify(user)}`,
    `        password: ${password}`,
    '        permissions {',
    '          publish {',
    ...renderList('allow', publish.allow),
    ...renderList('deny', publish.deny),
    '          }',
    '          subscribe {',
    ...renderList('allow', subscribe.allow),
    ...renderList('deny', subscribe.deny),
    '          }',
    '        }',
    '      }',
  ].join('\n');
}

function renderList(name: string, subjects: readonly string[]): string[] {
  return [
    `            ${name}: [`,
    ...subjects.map((subject) => `              ${JSON.stringify(subject)}`),
    '            ]',
  ];
}

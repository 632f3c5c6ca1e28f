import type { ErrorRow } from './row.ts';

/** Codes of the source server. */
export const sourceErrors = {
  UMBUS_SOURCE_UNREACHABLE: {
    text: 'The source server cannot be reached.',
    remedy: 'Check host, port, network and that the server runs; umbus keeps trying.',
    retryable: true,
  },
  UMBUS_SOURCE_DISCONNECTED: {
    text: 'The connection to the source was cut.',
    remedy: 'None needed: umbus reconnects and resumes at the same event.',
    retryable: true,
  },
  UMBUS_SOURCE_AUTH: {
    text: 'The source refused the user or password.',
    remedy: 'Check user, password and the host the account is granted for.',
    retryable: false,
  },
  UMBUS_SOURCE_GRANT: {
    text: 'The account lacks a privilege.',
    remedy: 'Run the GRANT that the message names.',
    retryable: false,
  },
  UMBUS_SOURCE_SETTING: {
    text: 'A server setting makes exact capture impossible.',
    remedy: 'Run the statement that the message names.',
    retryable: false,
  },
  UMBUS_SOURCE_POSITION_GONE: {
    text: 'The server no longer has the binlog that comes next.',
    remedy: 'The message says what is lost. Load the tables again, then restart with a new start position.',
    retryable: false,
  },
  UMBUS_SOURCE_IDENTITY: {
    text: 'The server is not the one this line was reading, and its history does not continue ours.',
    remedy: 'Point the line at the right server, or start it anew.',
    retryable: false,
  },
  UMBUS_SOURCE_SERVER_ID: {
    text: 'Another replica uses the same server id.',
    remedy: 'Give the line a server id of its own (`source.serverId`).',
    retryable: false,
  },
  UMBUS_SOURCE_ROLLED_BACK: {
    text: 'Rows that are published already were rolled back in the source.',
    remedy:
      'Start the line again, which goes on behind that place, and load the tables again that the transaction changed.',
    retryable: false,
  },
  UMBUS_SOURCE_PROTOCOL: {
    text: 'The server sent something the replication protocol does not allow.',
    remedy: 'Report it with the position in the message.',
    retryable: true,
  },
  UMBUS_SOURCE_COLUMNS: {
    text: 'The binlog does not name the columns of a table, so they are looked up on the server.',
    remedy:
      'None is needed: the line goes on by itself, and parks the table when they cannot be told for certain.',
    retryable: true,
  },
} as const satisfies Record<string, ErrorRow>;

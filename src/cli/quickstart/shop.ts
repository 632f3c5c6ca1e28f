/** The quickstart's source: a small shop whose tables change all the time, in every way a table can. */

/** Runs one SQL statement; resolves with the first column of the first row, if any. */
export type Execute = (sql: string, values?: readonly (string | number | null)[]) => Promise<unknown>;

export const SHOP_SCHEMA = 'shop';

/** Takes a row at a steady beat; how old it is when it arrives is the latency of the line. */
export const PULSE_TABLE = 'pulse';

const tables = [
  `CREATE TABLE customers (
     id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
     name VARCHAR(80) NOT NULL,
     email VARCHAR(120) NULL,
     tier ENUM('new','regular','gold') NOT NULL DEFAULT 'new',
     tags SET('mail','phone','post') NOT NULL DEFAULT '',
     born DATE NULL,
     created TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)
   ) DEFAULT CHARSET = utf8mb4`,
  `CREATE TABLE products (
     sku CHAR(8) NOT NULL PRIMARY KEY,
     title VARCHAR(120) CHARACTER SET latin1 NOT NULL,
     price DECIMAL(12,2) NOT NULL,
     weight FLOAT NULL,
     rating DOUBLE NULL,
     flags BIT(5) NOT NULL DEFAULT b'0',
     picture BLOB NULL,
     opens TIME(2) NULL,
     since YEAR NULL
   ) DEFAULT CHARSET = utf8mb4`,
  `CREATE TABLE orders (
     id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
     customer INT UNSIGNED NOT NULL,
     placed DATETIME(6) NOT NULL,
     status ENUM('open','paid','sent','done') NOT NULL DEFAULT 'open',
     total DECIMAL(14,2) NOT NULL DEFAULT 0,
     remark TEXT NULL,
     KEY (customer)
   ) DEFAULT CHARSET = utf8mb4`,
  `CREATE TABLE order_items (
     order_id BIGINT UNSIGNED NOT NULL,
     line SMALLINT NOT NULL,
     sku CHAR(8) NOT NULL,
     quantity INT NOT NULL,
     PRIMARY KEY (order_id, line)
   ) DEFAULT CHARSET = utf8mb4`,
  // No primary key: such tables are carried too.
  `CREATE TABLE visits (
     at DATETIME(3) NOT NULL,
     page VARCHAR(60) NOT NULL,
     millis INT NOT NULL
   ) DEFAULT CHARSET = utf8mb4`,
  `CREATE TABLE ${PULSE_TABLE} (
     id INT NOT NULL PRIMARY KEY,
     at DATETIME(6) NOT NULL
   )`,
];

/** Changes of a table's shape, each undone by the next one of its pair. */
const alterations = [
  'ALTER TABLE customers ADD COLUMN phone VARCHAR(30) NULL AFTER email',
  'ALTER TABLE orders MODIFY remark MEDIUMTEXT NULL',
  'ALTER TABLE customers DROP COLUMN phone',
  'ALTER TABLE orders MODIFY remark TEXT NULL',
] as const;

/** Creates the schema and its tables, with some customers and products. */
export async function createShop(execute: Execute): Promise<void> {
  await execute(`CREATE DATABASE ${SHOP_SCHEMA} DEFAULT CHARSET utf8mb4`);
  await execute(`USE ${SHOP_SCHEMA}`);
  for (const sql of tables) await execute(sql);
  for (let n = 1; n <= 40; n++) await addCustomer(execute, n);
  for (let n = 1; n <= 60; n++) await addProduct(execute, n);
}

const names = [
  'Zoë Krüger',
  'Jean-Luc Ó Briain',
  '王小明',
  'Ana "Ani" Núñez',
  'Åse\tBø',
  'Li\\Lee',
  'Émile 🚲',
];
const pick = <T>(items: readonly T[]): T => items[Math.floor(Math.random() * items.length)] as T;
const upTo = (n: number): number => Math.floor(Math.random() * n);

async function addCustomer(execute: Execute, n: number): Promise<void> {
  await execute('INSERT INTO customers (name, email, tier, tags, born) VALUES (?, ?, ?, ?, ?)', [
    pick(names),
    n % 3 === 0 ? null : `c${n}-${upTo(1e6)}@example.org`,
    pick(['new', 'regular', 'gold']),
    pick(['', 'mail', 'mail,phone', 'mail,phone,post']),
    n % 4 === 0 ? null : `19${40 + upTo(60)}-0${1 + upTo(9)}-1${upTo(10)}`,
  ]);
}

async function addProduct(execute: Execute, n: number): Promise<void> {
  await execute(
    `INSERT IGNORE INTO products (sku, title, price, weight, rating, flags, picture, opens, since)
     VALUES (?, ?, ?, ?, ?, ?, UNHEX(?), ?, ?)`,
    [
      `S${String(n).padStart(6, '0')}`,
      `Café chair nº ${n}`,
      (upTo(1e7) / 100).toFixed(2),
      upTo(1000) / 7,
      Math.random() * 5,
      upTo(32),
      n % 5 === 0 ? null : 'deadbeef00ff'.repeat(1 + upTo(20)),
      `0${upTo(9)}:30:15.2${upTo(10)}`,
      1990 + upTo(30),
    ],
  );
}

async function placeOrder(execute: Execute): Promise<void> {
  await execute('BEGIN');
  await execute('INSERT INTO orders (customer, placed, remark) VALUES (?, NOW(6), ?)', [
    1 + upTo(40),
    pick([null, 'as a gift', 'ring twice\nplease', '{"door": "blue"}']),
  ]);
  const lines = 1 + upTo(5);
  for (let line = 1; line <= lines; line++) {
    await execute('INSERT INTO order_items VALUES (LAST_INSERT_ID(), ?, ?, ?)', [
      line,
      `S${String(1 + upTo(60)).padStart(6, '0')}`,
      1 + upTo(9),
    ]);
  }
  await execute(
    `UPDATE orders SET total = (SELECT SUM(i.quantity * p.price) FROM order_items i JOIN products p ON p.sku = i.sku WHERE i.order_id = orders.id)
      WHERE id = LAST_INSERT_ID()`,
  );
  await execute(pick(['COMMIT', 'COMMIT', 'COMMIT', 'COMMIT', 'ROLLBACK']));
}

async function forgetOrders(execute: Execute): Promise<void> {
  await execute('BEGIN');
  await execute(
    "DELETE i FROM order_items i JOIN orders o ON o.id = i.order_id WHERE o.status = 'done' AND o.id % 7 = 0",
  );
  await execute("DELETE FROM orders WHERE status = 'done' AND id % 7 = 0");
  await execute('COMMIT');
}

/** What the shop does, with how often relative to each other. */
const deeds: readonly (readonly [number, (execute: Execute) => Promise<unknown>])[] = [
  [40, placeOrder],
  [
    25,
    execute =>
      execute(
        "UPDATE orders SET status = ELT(FIELD(status, 'open', 'paid', 'sent', 'done') + 1, 'open', 'paid', 'sent', 'done', 'done') WHERE id % 20 = ? ORDER BY id DESC LIMIT 20",
        [upTo(20)],
      ),
  ],
  [
    10,
    execute =>
      execute(
        'UPDATE products SET price = price * 1.01, flags = flags ^ 3, rating = RAND() * 5 WHERE sku = ?',
        [`S${String(1 + upTo(60)).padStart(6, '0')}`],
      ),
  ],
  [
    10,
    execute =>
      execute('INSERT INTO visits VALUES (NOW(3), ?, ?)', [pick(['/', '/cart', '/p?q="x"']), upTo(900)]),
  ],
  [5, execute => addCustomer(execute, upTo(1e6))],
  [
    3,
    execute => execute('UPDATE IGNORE customers SET id = id + 100000 WHERE id BETWEEN 41 AND 99999 LIMIT 1'),
  ],
  [3, execute => execute('DELETE FROM visits WHERE millis % 10 = 3')],
  [3, execute => execute("UPDATE visits SET page = '/old' WHERE millis % 10 = 4 AND page <> '/old'")],
  [1, forgetOrders],
];
const weight = deeds.reduce((sum, [share]) => sum + share, 0);

/** One pulse; `id` counts from 1. */
export async function pulse(execute: Execute, id: number): Promise<void> {
  await execute(`INSERT INTO ${SHOP_SCHEMA}.${PULSE_TABLE} VALUES (?, UTC_TIMESTAMP(6))`, [id]);
}

/**
 * Changes the shop until `signal` aborts: transactions one after another, `pauseMs` apart, and now and then a DDL statement.
 * The caller's `execute` says on which connection.
 */
export async function keepShop(
  execute: Execute,
  options: {
    readonly pauseMs: number;
    readonly deedsPerAlteration: number;
    readonly pause: (ms: number) => Promise<void>;
  },
  signal: AbortSignal,
): Promise<void> {
  for (let n = 1; !signal.aborted; n++) {
    if (n % options.deedsPerAlteration === 0) {
      const next = alterations[(n / options.deedsPerAlteration - 1) % alterations.length];
      if (next !== undefined) await execute(next);
    }
    let at = upTo(weight);
    for (const [share, deed] of deeds) {
      at -= share;
      if (at < 0) {
        await deed(execute);
        break;
      }
    }
    await options.pause(options.pauseMs);
  }
}

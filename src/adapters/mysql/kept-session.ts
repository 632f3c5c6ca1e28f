import { isUmbusError } from '../../core/errors.ts';
import { connectSql, type SqlSession } from './connect.ts';
import type { MysqlLogin } from './options.ts';

/** A session that is opened when it is first used, and anew after it was lost. Its users take turns. */
export class KeptSession implements AsyncDisposable {
  readonly #login: MysqlLogin;
  readonly #prepare: (session: SqlSession) => Promise<unknown>;
  #session: SqlSession | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(login: MysqlLogin, prepare: (session: SqlSession) => Promise<unknown>) {
    this.#login = login;
    this.#prepare = prepare;
  }

  use<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    const next = this.#last.then(
      () => this.#run(work),
      () => this.#run(work),
    );
    this.#last = next.catch(() => {});
    return next;
  }

  async #run<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    if (this.#session === null) {
      const session = await connectSql(this.#login);
      try {
        await this.#prepare(session);
      } catch (error) {
        session.destroy();
        throw error;
      }
      this.#session = session;
    }
    try {
      return await work(this.#session);
    } catch (error) {
      if (isUmbusError(error) && error.retryable) {
        this.#session.destroy();
        this.#session = null;
      }
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last.catch(() => {});
    await this.#session?.[Symbol.asyncDispose]();
    this.#session = null;
  }
}

import type { AlarmDocument } from '../../src/adapters/alarms/index.ts';
import { startHttpReceiver } from './http-receiver.ts';
import { until } from './until.ts';

/** A webhook that takes every alarm. */
export interface AlarmReceiver extends AsyncDisposable {
  readonly url: string;
  /** All that came, in order. */
  readonly alarms: readonly AlarmDocument[];
  /** `where state` of what came since the last call, in order. */
  news(): readonly string[];
  /** Waits until an alarm of a place comes, and gives it. */
  next(where: string, state: 'raised' | 'recovered', deadlineMs: number): Promise<AlarmDocument>;
}

/** Starts one on a free port. */
export async function startAlarmReceiver(): Promise<AlarmReceiver> {
  const http = await startHttpReceiver(response => response.end());
  // Only umbus posts here.
  const all = () => http.requests.map(({ body }) => JSON.parse(body) as AlarmDocument);
  let read = 0;
  return {
    url: http.url,
    get alarms() {
      return all();
    },
    news() {
      const news = all().slice(read);
      read += news.length;
      return news.map(({ details, state }) => `${details['where']} ${state}`);
    },
    async next(where, state, deadlineMs) {
      const from = read;
      const found = () =>
        all()
          .slice(from)
          .find(alarm => alarm.details['where'] === where && alarm.state === state);
      const came = () =>
        all()
          .slice(from)
          .map(({ title, state: change }) => `${change}: ${title}`);
      try {
        await until(`the alarm ${where} ${state}`, () => found() !== undefined, deadlineMs);
      } catch (cause) {
        throw new Error(`No alarm ${where} ${state} came, but: ${came().join('; ') || 'none'}`, { cause });
      }
      const alarm = found();
      if (alarm === undefined) throw new Error('The alarm is gone again.');
      return alarm;
    },
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  };
}

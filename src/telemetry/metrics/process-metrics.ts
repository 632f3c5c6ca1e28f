import { counter, gauge } from './spec.ts';

/** The process. */
export const processMetrics = {
  info: gauge('umbus_process_info', '', 'Always 1; versions of umbus and of Node as labels.', [
    'version',
    'node',
  ]),
  started: gauge('umbus_process_start_time_seconds', 'seconds', 'When the process began, since 1970 in UTC.'),
  memory: gauge(
    'umbus_process_memory_bytes',
    'bytes',
    'Memory of the process. `anonymous`: its own, without mapped files such as the log; `heap`: of JavaScript, in use; `external`: buffers.',
    ['kind'],
  ),
  cpu: counter('umbus_process_cpu_seconds_total', 'seconds', 'Processor time, user and system.', ['mode']),
  loopDelay: gauge(
    'umbus_process_event_loop_delay_seconds',
    'seconds',
    'How late timers fired in the last whole ten seconds: the median, the 99th percentile and the latest.',
    ['stat'],
  ),
  gcRuns: counter('umbus_process_gc_runs_total', 'runs', 'Garbage collections by kind.', ['kind']),
  gcSeconds: counter('umbus_process_gc_seconds_total', 'seconds', 'Time spent in garbage collections.', [
    'kind',
  ]),
} as const;

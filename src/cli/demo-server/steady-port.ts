import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { UmbusError } from '../../core/errors.ts';

const LOWEST = 10_000;
const TRIES = 100;
/** Lower end of the ports that outgoing connections get, where the system does not tell (Linux's default). */
const USUAL_EPHEMERAL_START = 32_768;

function ephemeralStart(): number {
  try {
    const text = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
    const start = Number.parseInt(text, 10);
    return start > LOWEST + TRIES ? start : USUAL_EPHEMERAL_START;
  } catch {
    return USUAL_EPHEMERAL_START;
  }
}

async function canListen(port: number): Promise<boolean> {
  const probe = createServer();
  try {
    probe.listen(port, '127.0.0.1');
    await once(probe, 'listening');
    probe.close();
    await once(probe, 'close');
    return true;
  } catch {
    return false;
  }
}

/**
 * Ports of 127.0.0.1 that are free now and lie below those of outgoing connections. A server that is stopped and started again on
 * its port so finds it free, and a client that tries meanwhile cannot connect to itself. Errors: UMBUS_INTERNAL when none is free.
 */
export async function steadyPorts(count: number): Promise<readonly number[]> {
  const span = ephemeralStart() - LOWEST;
  const ports = new Set<number>();
  for (let tries = 0; tries < TRIES && ports.size < count; tries += 1) {
    const port = LOWEST + Math.floor(Math.random() * span);
    if (!ports.has(port) && (await canListen(port))) ports.add(port);
  }
  if (ports.size < count) throw new UmbusError('UMBUS_INTERNAL', `No ${count} TCP ports are free.`);
  return [...ports];
}

/** Loaded before a command (`node --import`): its clock is ahead of the machine's by the milliseconds in the environment variable AHEAD_MS. */
const aheadMs = Number(process.env['AHEAD_MS'] ?? 0);
const now = Date.now;
Date.now = () => now() + aheadMs;

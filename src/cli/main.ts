#!/usr/bin/env node
import { runCli } from './program.ts';
import { processTerminal, written } from './terminal.ts';

const exit = (code: number): never => process.exit(code);

const code = await runCli(process.argv.slice(2), processTerminal(exit));
await written();
exit(code);

#!/usr/bin/env node
import { runCli } from './program.ts';
import { processTerminal } from './terminal.ts';

const exit = (code: number): never => process.exit(code);

exit(await runCli(process.argv.slice(2), processTerminal(exit)));

import type { Command } from 'commander';
import type { Environment } from '../config.js';
export function addMigrateCommand(_p: Command, _e: Environment): void {}

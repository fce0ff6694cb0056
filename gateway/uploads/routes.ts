/**
 * The paths of uploads. Each of the files beside this one registers its own; a path of letters goes before one with a
 * parameter, which uWebSockets.js sees to.
 */
import type { TemplatedApp } from 'uWebSockets.js';
import { registerErrorsCsv } from './errors-csv.js';
import { registerEvents } from './events.js';
import { registerFile } from './file.js';
import { registerList } from './list.js';
import type { UploadContext } from './parts.js';
import { registerRead } from './read.js';

export function registerUploadRoutes(app: TemplatedApp, context: UploadContext): void {
  registerList(app, context);
  registerRead(app, context);
  registerEvents(app, context);
  registerFile(app, context);
  registerErrorsCsv(app, context, {});
}

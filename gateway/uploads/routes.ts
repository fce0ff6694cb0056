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
import { registerPost } from './post.js';
import { registerRead } from './read.js';
import { registerTus } from './tus/routes.js';

export function registerUploadRoutes(app: TemplatedApp, context: UploadContext): void {
  registerPost(app, context);
  registerList(app, context);
  registerRead(app, context);
  registerEvents(app, context);
  registerFile(app, context);
  registerErrorsCsv(app, context);
  registerTus(app, context);
}

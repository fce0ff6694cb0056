/**
 * The paths of uploads. Each of the files beside this one registers its own; a path of letters goes before one with a
 * parameter, which uWebSockets.js sees to.
 */
import type { TemplatedApp } from 'uWebSockets.js';
import type { UploadContext } from './parts.js';
import { registerPost } from './post.js';
import { registerTus } from './tus/routes.js';

export function registerUploadRoutes(app: TemplatedApp, context: UploadContext): void {
  registerPost(app, context);
  registerTus(app, context);
}

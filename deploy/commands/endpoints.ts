/** `tether endpoints`: look at the endpoints of a running node, make and take away those of the API, and check a file of them. */
import type { Command } from 'commander';
import type { Environment } from '../settings.js';
import type { NodeFlags } from './node-client.js';
import { addNodeOptions } from './options.js';
import { columnsOf } from './table.js';

function addEndpointCommands(program: Command, env: Environment): void {
  const endpoints = program
    .command('endpoints')
    .description('who may send webhooks: in a file, and over the API');

  addNodeOptions(
    endpoints
      .command('list', { isDefault: true })
      .description('list the endpoints of a node (the default); a secret is never shown'),
  ).action(async (flags: NodeFlags) => {
    const { listEndpoints } = await import('./endpoints-run.js');
    process.stdout.write(await listEndpoints(flags, env, columnsOf(process.stdout)));
  });

  addNodeOptions(
    endpoints
      .command('put <file>')
      .description(
        'make the endpoints of a file over the API, or others of those that are there, on every node',
      ),
  )
    .addHelpText(
      'after',
      `
The file has the form of the endpoints file; env: and file: are followed by the nodes, not here.

Example:
  $ tether endpoints put shops.yaml
`,
    )
    .action(async (file: string, flags: NodeFlags) => {
      const { putEndpoints } = await import('./endpoints-run.js');
      process.stdout.write(await putEndpoints(file, flags, env, columnsOf(process.stdout)));
    });

  addNodeOptions(
    endpoints
      .command('remove <name>')
      .description('take an endpoint away that was made over the API, on every node'),
  ).action(async (name: string, flags: NodeFlags) => {
    const { removeEndpoint } = await import('./endpoints-run.js');
    process.stdout.write(await removeEndpoint(name, flags, env));
  });

  endpoints
    .command('check <file>')
    .description('whether a node with this environment would serve a file; needs no node')
    .option('--up', 'as `tether up` would, and not as `tether start`')
    .addHelpText('after', '\nExample:\n  $ tether endpoints check endpoints.yaml\n')
    .action(async (file: string, flags: { readonly up?: true }) => {
      const { checkEndpointsFile } = await import('./endpoints-run.js');
      process.stdout.write(await checkEndpointsFile(file, flags, env));
    });

  endpoints
    .command('schema')
    .description('print the JSON Schema of the file, for editors')
    .action(async () => {
      const { endpointsJsonSchema } = await import('../endpoints/schema.js');
      process.stdout.write(`${JSON.stringify(endpointsJsonSchema(), undefined, 2)}\n`);
    });
}

export { addEndpointCommands };

/** What a node is doing, for whoever looks: now, over the last minutes, in each partition, by key, and as it was configured. */
import { z } from 'zod';
import { type ApiRoute, apiRoute } from './route.js';
import { type History, historySchema, type Status, statusSchema } from './status-schema.js';

const partitionSchema = z.object({
  actor: z.string(),
  partition: z.int(),
  /** The node that reads it; null: nobody, or nobody that this node knows of. */
  owner: z.string().nullable(),
  /** Null when it is not a thread of this node. */
  thread: z.int().nullable(),
  lag: z.number(),
  /** `broken`: its log cannot be read; `unreadable`: a later release wrote what is on it; `elsewhere`: another node's, or nobody's. */
  mode: z.enum(['owned', 'elsewhere', 'broken', 'unreadable']),
});

const actorSchema = z.object({
  actor: z.string(),
  live: z.number(),
  hottest: z.array(z.object({ key: z.string(), perSecond: z.number() })),
  deepest: z.array(z.object({ key: z.string(), depth: z.number() })),
});

const configKeySchema = z.object({
  key: z.string(),
  /** As text; a secret is masked. */
  value: z.string(),
  default: z.string().nullable(),
  source: z.enum(['set', 'file', 'default']),
  secret: z.boolean(),
  /** The path of the file that holds it, of a secret that was given by one. */
  file: z.string().optional(),
});

type PartitionView = z.output<typeof partitionSchema>;
type ActorView = z.output<typeof actorSchema>;
type ConfigKeyView = z.output<typeof configKeySchema>;

/** Each from memory, cheap enough for once a second and each client. */
interface NodeView {
  status(): Status;
  history(): History;
  partitions(): readonly PartitionView[];
  actors(): readonly ActorView[];
  config(): readonly ConfigKeyView[];
}

function statusRoutes(view: NodeView): readonly ApiRoute[] {
  const about = { method: 'get', tag: 'Node', scope: 'read' } as const;
  return [
    apiRoute({
      ...about,
      path: '/api/status',
      id: 'getStatus',
      summary: 'What the node is doing, and what is the matter with it',
      answer: statusSchema,
      work: () => view.status(),
    }),
    apiRoute({
      ...about,
      path: '/api/history',
      id: 'getHistory',
      summary: 'The last five minutes, second by second',
      answer: historySchema,
      work: () => view.history(),
    }),
    apiRoute({
      ...about,
      path: '/api/partitions',
      id: 'getPartitions',
      summary: 'Who reads each partition, and how far behind it is',
      answer: z.object({ partitions: z.array(partitionSchema) }),
      work: () => ({ partitions: [...view.partitions()] }),
    }),
    apiRoute({
      ...about,
      path: '/api/actors',
      id: 'getActors',
      summary: 'The keys that get the most messages, and those with the deepest mailboxes',
      answer: z.object({ types: z.array(actorSchema) }),
      work: () => ({ types: [...view.actors()] }),
    }),
    apiRoute({
      ...about,
      path: '/api/config',
      id: 'getConfig',
      summary: 'The configuration as the node sees it, secrets masked',
      answer: z.object({ keys: z.array(configKeySchema) }),
      work: () => ({ keys: [...view.config()] }),
    }),
  ];
}

export { type ActorView, type ConfigKeyView, type NodeView, type PartitionView, statusRoutes };

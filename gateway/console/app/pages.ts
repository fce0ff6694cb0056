/** The pages: the name in the address, the title, the key after `g`. */
import type { ComponentType } from 'react';
import { ActorsPage } from './pages/actors.js';
import { AuditPage } from './pages/audit.js';
import { ConfigurationPage } from './pages/configuration.js';
import { DeadLettersPage } from './pages/dead-letters.js';
import { EndpointsPage } from './pages/endpoints.js';
import { EventsPage } from './pages/events.js';
import { OverviewPage } from './pages/overview.js';
import { PartitionsPage } from './pages/partitions.js';
import { PoolsPage } from './pages/pools.js';
import { ReplaysPage } from './pages/replays.js';
import { UploadsPage } from './pages/uploads.js';

interface Page {
  readonly name: string;
  readonly title: string;
  readonly key: string;
  readonly Content: ComponentType<{ detail: string }>;
}

export const PAGES: readonly Page[] = [
  { name: '', title: 'Overview', key: 'o', Content: OverviewPage },
  { name: 'pools', title: 'Pools', key: 'p', Content: PoolsPage },
  { name: 'partitions', title: 'Partitions', key: 't', Content: PartitionsPage },
  { name: 'actors', title: 'Actors', key: 'a', Content: ActorsPage },
  { name: 'events', title: 'Events', key: 'e', Content: EventsPage },
  { name: 'dead-letters', title: 'Dead letters', key: 'd', Content: DeadLettersPage },
  { name: 'endpoints', title: 'Endpoints', key: 'w', Content: EndpointsPage },
  { name: 'replays', title: 'Replays', key: 'r', Content: ReplaysPage },
  { name: 'uploads', title: 'Uploads', key: 'u', Content: UploadsPage },
  { name: 'configuration', title: 'Configuration', key: 'c', Content: ConfigurationPage },
  { name: 'audit', title: 'Audit', key: 'l', Content: AuditPage },
];

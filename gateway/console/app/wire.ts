/** What the API answers, as far as a page shows it; the schemas stand beside the routes in `gateway/api/`. */
import type { PoolSettings } from '../../api/status-schema.js';

export interface Page {
  readonly next: string | null;
}

export interface PartitionRow {
  readonly actor: string;
  readonly partition: number;
  readonly owner: string | null;
  readonly thread: number | null;
  readonly lag: number;
}

export interface ActorRow {
  readonly actor: string;
  readonly live: number;
  readonly hottest: readonly { readonly key: string; readonly perSecond: number }[];
  readonly deepest: readonly { readonly key: string; readonly depth: number }[];
}

export interface ConfigRow {
  readonly key: string;
  readonly value: string;
  readonly default: string | null;
  readonly source: string;
  readonly secret: boolean;
  /** That holds it, of a secret that was given by a file. */
  readonly file?: string;
}

export interface PoolRow {
  readonly actor: string;
  readonly allowed: Readonly<Record<keyof PoolSettings, { readonly min: number; readonly max: number }>>;
  readonly saved: { readonly paused: boolean; readonly changedAt: string; readonly changedBy: string } | null;
}

export interface MaskedPayload {
  readonly bytes: number;
  readonly sha256: string;
  readonly fields:
    | readonly { readonly name: string; readonly value: string; readonly masked: boolean }[]
    | null;
}

export interface EventRow {
  readonly id: string;
  readonly endpoint: string;
  readonly kind: string;
  readonly key: string;
  readonly dedupe: string;
  readonly status: string;
  readonly reportedStatus: string | null;
  readonly traceparent: string | null;
  readonly receivedAt: number;
  readonly processedAt: number;
  readonly bytes: number;
  readonly segment: string | null;
}

export interface EventDetail {
  readonly event: EventRow;
  readonly payload: MaskedPayload | null;
  readonly payloadMissing: 'gone' | 'away' | 'damaged' | null;
  readonly payment: {
    readonly id: string;
    readonly status: string;
    readonly amount: number | null;
    readonly currency: string | null;
    readonly history: readonly unknown[];
  } | null;
  readonly others: readonly EventRow[];
  readonly deadLetters: readonly DeadLetterRow[];
}

export interface DeadLetterRow {
  readonly envelope: {
    readonly id: string;
    readonly actor: string;
    readonly key: string;
    readonly receivedAt: number;
    readonly traceparent: string;
    readonly payloadMasked: MaskedPayload;
  };
  readonly cause: { readonly code: string; readonly message: string; readonly stack?: string };
  readonly attempts: number;
  readonly deadAt: number;
  readonly state: 'waiting' | 'replayed' | 'dropped';
}

export type Bulk =
  | { readonly ids: readonly string[] }
  | { readonly filter: Readonly<Record<string, string | number>> };

export interface DeadLetterPreview {
  readonly at: number;
  readonly total: number;
  readonly keys: number;
  readonly oldest: number | null;
  readonly latest: number | null;
  readonly actors: readonly {
    readonly actor: string;
    readonly count: number;
    readonly pool: string | null;
  }[];
  readonly codes: readonly { readonly code: string; readonly count: number; readonly atOnce: number }[];
  readonly effect: { readonly replay: string; readonly drop: string };
  readonly warnings: readonly { readonly code: string; readonly detail: string }[];
}

export type ReplaySelect =
  | { readonly ids: readonly string[] }
  | { readonly filter: Readonly<Record<string, string | number>> };

export interface ReplayRow {
  readonly id: string;
  readonly state: string;
  readonly select: ReplaySelect;
  readonly to: string | null;
  readonly forced: boolean;
  readonly total: number | null;
  readonly seen: number;
  readonly told: number;
  readonly leftOut: Readonly<Record<string, number>>;
  readonly perSecond: number | null;
  readonly secondsLeft: number | null;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly reason: string | null;
}

export interface ReplayPreview {
  readonly total: number | null;
  readonly endpoints: readonly {
    readonly endpoint: string;
    readonly events: number;
    readonly oldest: number;
    readonly latest: number;
  }[];
  readonly effect: string;
  readonly warnings: readonly { readonly code: string; readonly detail: string }[];
}

export interface UploadRow {
  readonly id: string;
  readonly state: string;
  readonly filename: string;
  readonly bytes: number;
  readonly bytesExpected: number | null;
  readonly processedBytes: number;
  readonly counts: {
    readonly total: number;
    readonly accepted: number;
    readonly invalid: number;
    readonly skipped: number;
  };
  readonly rate: number | null;
  readonly secondsLeft: number | null;
  readonly failure: { readonly code: string; readonly detail: string } | null;
  readonly client: string;
  readonly createdAt: string;
}

/** Where it stands, or a digest of it: never the secret. */
export interface SecretRow {
  readonly reference: string | null;
  readonly digest: string | null;
}

export interface EndpointRow {
  readonly name: string;
  readonly source: 'file' | 'default' | 'api';
  readonly provider: string;
  readonly secrets: readonly SecretRow[];
  readonly settings: {
    readonly actor?: string;
    readonly routes?: readonly {
      readonly when?: string;
      readonly to: string | readonly string[];
      readonly continue?: boolean;
    }[];
  };
  readonly served: boolean;
  readonly problems: readonly string[];
  readonly changedAt: string | null;
  readonly changedBy: string | null;
}

export interface EndpointList {
  readonly endpoints: readonly EndpointRow[];
  readonly file: {
    readonly path: string;
    readonly readAt: string | null;
    readonly problems: readonly string[];
  } | null;
}

export interface TargetRow {
  readonly name: string;
  readonly known: boolean;
  readonly origin: string;
  readonly secrets: readonly SecretRow[];
  readonly headers: readonly string[];
  readonly settings: { readonly concurrency?: number; readonly ratePerSecond?: number };
  readonly waiting: {
    readonly count: number;
    readonly more: boolean;
    readonly since: string;
    readonly dueAt: string;
    readonly reason: string;
  } | null;
}

export interface TargetList {
  readonly targets: readonly TargetRow[];
  readonly waitingKnown: boolean;
}

export interface AuditRow {
  readonly id: number;
  readonly at: number;
  readonly client: string;
  readonly action: string;
  readonly target: string;
  readonly before: unknown;
  readonly after: unknown;
}

/**
 * A kind of provider: its name, what an endpoint of it may say in `options` and `secrets`, and how a provider is made of that.
 */
import { z } from 'zod';
import { GatewayOptionError } from '../errors.js';
import type { Provider } from './provider.js';

export interface ProviderSetup<Options = unknown> {
  /** The endpoint's name. */
  readonly endpoint: string;
  readonly secrets: readonly string[];
  readonly options: Options;
  readonly order: 'key' | 'none';
}

export interface SecretsRule {
  /** How many an endpoint has; all of them are valid. */
  readonly min: number;
  readonly max: number;
  /** For people: what one is. */
  readonly what: string;
}

export interface ProviderKind {
  readonly name: string;
  /** The `options` of an endpoint. It changes nothing but to fill in what was left out. */
  readonly options: z.ZodType;
  readonly optionNames: readonly string[];
  readonly secrets: SecretsRule;
  /** Who handles its messages: the endpoint's own actor gets the body, or `webhook` gets it with what the gateway read of it. */
  readonly envelope: 'body' | 'webhook';
  /** What is wrong with the form of a secret; never quotes it. `options` may be wrong themselves: then undefined. */
  secretProblem(secret: string, options: unknown): string | undefined;
  /** @throws GatewayOptionError options or secrets make no sense */
  create(setup: ProviderSetup): Provider;
}

export const SECRETS_MAX = 16;

interface Definition<Options> {
  readonly name: string;
  readonly options: z.ZodType<Options>;
  readonly secrets?: Partial<SecretsRule>;
  readonly envelope?: ProviderKind['envelope'];
  secretProblem?(secret: string, options: Options): string | undefined;
  create(setup: ProviderSetup<Options>): Provider;
}

export function providerKind<Options>(definition: Definition<Options>): ProviderKind {
  const { name, options: schema } = definition;
  const secrets = { min: 1, max: SECRETS_MAX, what: 'signing secret', ...definition.secrets };
  const secretProblem = (secret: string, given: unknown) => {
    const parsed = schema.safeParse(given ?? {});
    return parsed.success ? definition.secretProblem?.(secret, parsed.data) : undefined;
  };
  return {
    name,
    options: schema,
    optionNames: schema instanceof z.ZodObject ? Object.keys(schema.shape) : [],
    secrets,
    envelope: definition.envelope ?? 'webhook',
    secretProblem,
    create(setup) {
      const parsed = schema.safeParse(setup.options ?? {});
      if (!parsed.success) {
        const [issue] = parsed.error.issues;
        const path = ['options', ...(issue?.path ?? [])].join('.');
        throw new GatewayOptionError(`endpoint ${setup.endpoint}: ${path}: ${issue?.message ?? 'is wrong'}`);
      }
      const problem = countProblem(secrets, setup.secrets.length) ?? firstProblem(setup, secretProblem);
      if (problem !== undefined) {
        throw new GatewayOptionError(`endpoint ${setup.endpoint}: secrets: ${problem}`);
      }
      return definition.create({ ...setup, options: parsed.data });
    },
  };
}

/** What is wrong with the number of secrets. */
export function countProblem({ min, max, what }: SecretsRule, count: number): string | undefined {
  if (max === 0 && count > 0) return 'the provider takes no secrets';
  if (count < min) return `needs at least one secret: ${what}`;
  return count > max ? `takes at most ${max} secrets` : undefined;
}

function firstProblem(
  { secrets, options }: ProviderSetup,
  problemOf: ProviderKind['secretProblem'],
): string | undefined {
  for (const secret of secrets) {
    const problem = secret === '' ? 'no empty one' : problemOf(secret, options);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

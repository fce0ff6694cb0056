/**
 * The routes of an endpoint as they are written in its entry: which messages go to which actors.
 *
 * Routes are looked through in order; the first whose `when` is true, or that has none, takes the message. One with `continue: true` takes it and
 * lets those behind it take it too. A message that no route takes goes to the endpoint's `actor`; without one it is kept in `events` only.
 *
 * The same schema checks the file of endpoints, an entry that comes by the API, and the settings of the actor: what is wrong is said with its path.
 */
import { z } from 'zod';
import { asError } from '../../runtime/failure.js';
import { CONDITION_CHARS_MAX, Conditions, Meter } from './condition.js';

const ROUTES_MAX = 100;
const DESTINATIONS_MAX = 16;
/** What waits longer is no webhook any more. */
const DELAY_SECONDS_MAX = 30 * 86_400;

const ACTOR = /^[a-z][a-z0-9-]{0,62}$/;
const FORWARD = /^forward:[a-z][a-z0-9-]{0,62}$/;
/** Of Tether itself; they take no deliveries. */
const NO_DESTINATIONS: ReadonlySet<string> = new Set([
  'payment',
  'upload',
  'webhook',
  'forward',
  'archive',
  'replay',
]);

export const destinationSchema = z
  .string()
  .refine((name) => ACTOR.test(name) || FORWARD.test(name), {
    message: 'is the type of an actor, or forward:<target>',
  })
  .refine((name) => !NO_DESTINATIONS.has(name), { message: 'is an actor that takes no deliveries' })
  .meta({ description: 'The type of an actor, or `forward:<target>`' });

const conditionSchema = z
  .string()
  .min(1)
  .max(CONDITION_CHARS_MAX)
  .superRefine((text, context) => {
    try {
      new Conditions(new Meter()).compile(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: asError(error).message });
    }
  })
  .meta({ description: 'A condition in CEL; without one every message is meant' });

const routeSchema = z.strictObject({
  when: conditionSchema.optional(),
  to: z.union([
    destinationSchema.transform((one) => [one]),
    z.array(destinationSchema).min(1).max(DESTINATIONS_MAX),
  ]),
  continue: z.boolean().default(false).meta({ description: 'Routes behind it may take the message too' }),
});

/** What an endpoint's entry says of what comes behind the gateway. */
export const handlingShape = {
  routes: z.array(routeSchema).max(ROUTES_MAX).default([]),
  actor: destinationSchema.optional().meta({ description: 'Where a message goes that no route takes' }),
  order: z
    .enum(['key', 'none'])
    .default('key')
    .meta({ description: '`key`: messages of one key one after the other; `none`: each for itself' }),
  delaySeconds: z
    .int()
    .min(0)
    .max(DELAY_SECONDS_MAX)
    .default(0)
    .meta({ description: 'Handled so much later than it came' }),
};

export const handlingSchema = z.strictObject(handlingShape);

export type Handling = z.input<typeof handlingSchema>;
export type FilledHandling = Readonly<z.output<typeof handlingSchema>>;

/** The actors that an endpoint's messages may go to, each once; `forward` among them without its target. */
export function actorsOf({ routes, actor }: FilledHandling): readonly string[] {
  const all = [...routes.flatMap(({ to }) => to), ...(actor === undefined ? [] : [actor])];
  return [...new Set(all.map((name) => name.split(':')[0] ?? name))];
}

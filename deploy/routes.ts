/** The routes of the operators' API of a node, made of its parts. */
import { type ApiRoute, deadLetterRoutes, tokenRoutes } from '../gateway/index.js';
import type { ActorSystem } from '../runtime/actor-system.js';
import { MessageIdSource } from '../runtime/message-id.js';
import type { DeadLetterStore } from '../runtime/stores/dead-letter.js';
import type { Tokens } from '../storage/postgres/index.js';

interface RoutedParts {
  readonly deadLetters: DeadLetterStore;
  readonly system: Pick<ActorSystem, 'replay'>;
  /** Undefined on a node that knows none. */
  readonly tokens: Tokens | undefined;
}

function nodeRoutes({ deadLetters, system, tokens }: RoutedParts): readonly ApiRoute[] {
  const ids = new MessageIdSource();
  return [
    ...deadLetterRoutes({ deadLetters, replay: (id) => system.replay(id) }),
    ...(tokens === undefined ? [] : tokenRoutes(tokens, () => ids.next(Date.now()))),
  ];
}

export { nodeRoutes };

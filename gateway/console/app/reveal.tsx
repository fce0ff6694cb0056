/** The way from a masked body to the whole one: for who may, after a question, and noted. Events and dead letters share it. */
import { type ReactNode, useState } from 'react';
import { change } from './api.js';
import { useAction } from './load.js';
import { ChangeButton, Confirm } from './ui.js';

interface Body {
  readonly payload: string;
  readonly payloadText: string | null;
}

interface Reveal {
  /** Undefined: masked. */
  readonly body: Body | undefined;
  readonly button: ReactNode;
  readonly question: ReactNode;
}

/** `path`: of what has the body, in the API. */
export function useReveal(path: string): Reveal {
  const [isAsking, setAsking] = useState(false);
  const [body, setBody] = useState<Body>();
  const action = useAction();
  const reveal = () =>
    action.run(
      () => change<Body>('POST', `${path}/reveal`),
      'The whole body is shown, and that you saw it is in the audit log.',
      (shown) => {
        setBody(shown);
        setAsking(false);
      },
    );
  return {
    body,
    button:
      body === undefined ? (
        <ChangeButton onClick={() => setAsking(true)}>Reveal the body</ChangeButton>
      ) : (
        <button type="button" onClick={() => setBody(undefined)}>
          Mask it again
        </button>
      ),
    question: isAsking && (
      <Confirm
        title="Reveal the body?"
        action="Reveal it"
        isBusy={action.isBusy}
        onConfirm={reveal}
        onClose={() => setAsking(false)}
      >
        <p>It may hold personal data. That you looked is written to the audit log, with your token's name.</p>
      </Confirm>
    ),
  };
}

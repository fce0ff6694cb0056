/** Asks for a token, and tries it before it is kept. */
import { type FormEvent, useEffect, useState } from 'react';
import { ApiError, open } from './api.js';
import { keptToken, session, signIn, signOut } from './session.js';
import { useStore } from './store.js';
import { Field } from './ui.js';

interface Me {
  readonly client: string;
  readonly scopes: readonly string[];
}

export function SignIn() {
  const now = useStore(session);
  const [token, setToken] = useState('');
  const [isTrying, setTrying] = useState(() => keptToken() !== null);
  const [error, setError] = useState<string>();

  const attempt = async (given: string) => {
    setTrying(true);
    setError(undefined);
    try {
      const response = await open('/api/me', {}, given);
      const me = (await response.json()) as Me;
      signIn(given, me.client, me.scopes.includes('operate'));
    } catch (failure) {
      setError(failure instanceof ApiError ? failure.message : 'The answer cannot be read.');
      if (failure instanceof ApiError && failure.status === 401) signOut();
      setTrying(false);
    }
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, with the token of an earlier page in this tab.
  useEffect(() => {
    const kept = keptToken();
    if (kept !== null) void attempt(kept);
  }, []);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const given = token.trim();
    // A header holds no other characters, and the browser would say so in words of its own.
    if (!/^[\x21-\x7e]+$/.test(given)) setError('A token has printable ASCII characters, without spaces.');
    else void attempt(given);
  };
  const why = now.mode === 'signed-out' ? now.why : '';

  return (
    <main className="sign-in">
      <h1>
        Tether <span>console</span>
      </h1>
      <p>
        Give an API token of this node. With the scope <code>read</code> you look; with <code>operate</code>{' '}
        you change things too.
      </p>
      <form onSubmit={submit}>
        <Field label="API token" error={error} hint="Kept in this tab only, until you close it.">
          {({ id, describedBy }) => (
            <input
              id={id}
              aria-describedby={describedBy}
              aria-invalid={error !== undefined}
              type="password"
              autoComplete="off"
              spellCheck={false}
              required
              value={token}
              onChange={(event) => setToken(event.target.value)}
            />
          )}
        </Field>
        <button type="submit" className="main" disabled={isTrying}>
          {isTrying ? 'Trying …' : 'Look at this node'}
        </button>
      </form>
      {why !== '' && error === undefined && (
        <p className="problem" role="alert">
          {why}
        </p>
      )}
    </main>
  );
}

/** What stands around every page: which node, how it is, where to go, and whether what is shown is true now. */
import { useEffect, useRef, useState } from 'react';
import { absolute, clock, relative } from './format.js';
import { follow, live } from './live.js';
import { dismiss, notices } from './notices.js';
import { PAGES } from './pages.js';
import { linkTo, usePlace } from './router.js';
import { session, signOut } from './session.js';
import { Shortcuts, useKeys } from './shortcuts.js';
import { useStore } from './store.js';
import { nextTheme, theme } from './theme.js';
import { Badge, useNow } from './ui.js';

export function Shell() {
  const place = usePlace();
  const page = PAGES.find(({ name }) => name === place.page);
  const { status } = useStore(live);
  const [menuIsOpen, setMenu] = useState(false);
  const [helpIsOpen, setHelp] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(follow, []);
  useKeys(() => setHelp((open) => !open));
  const title = page?.title ?? 'Nothing here';
  const waiting = status?.totals.deadLettersWaiting ?? 0;

  const first = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: at each change of the page.
  useEffect(() => {
    document.title = `${title} · ${status?.node.name ?? 'Tether'}`;
    setMenu(false);
    // A reader of the screen hears where he is; at the first page the browser reads it by itself.
    if (!first.current) heading.current?.focus();
    first.current = false;
  }, [title]);

  return (
    <>
      <button type="button" className="skip" onClick={() => heading.current?.focus()}>
        Skip to the content
      </button>
      <header className="top">
        <button
          type="button"
          className="menu-button"
          aria-expanded={menuIsOpen}
          aria-controls="nav"
          onClick={() => setMenu(!menuIsOpen)}
        >
          Menu
        </button>
        <a className="name" href={linkTo('')}>
          Tether
        </a>
        {status !== null && (
          <span className="node">
            <b>{status.node.name}</b>
            <span className="wide">
              {' '}
              {status.node.version} · up {relative(status.node.startedAt, status.at).replace(' ago', '')}
            </span>
            {status.node.role !== 'all' && ` · ${status.node.role}`}
            {status.node.mode === 'draining' && <Badge tone="warn">draining</Badge>}
          </span>
        )}
        <Connection />
        <Tools onHelp={() => setHelp(true)} />
      </header>
      <nav id="nav" className={menuIsOpen ? 'rail open' : 'rail'} aria-label="Pages">
        <ul>
          {PAGES.map(({ name, title: each, key }) => (
            <li key={name}>
              <a
                href={linkTo(name)}
                aria-current={name === place.page ? 'page' : undefined}
                aria-keyshortcuts={`g ${key}`}
              >
                {each}
                {name === 'dead-letters' && waiting > 0 && (
                  <span className="count">
                    {waiting}
                    <span className="sr"> waiting</span>
                  </span>
                )}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <main id="content">
        <Lost />
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {page === undefined ? (
          <p className="empty">
            There is no such page. <a href={linkTo('')}>Overview</a>
          </p>
        ) : (
          <page.Content key={page.name} detail={place.detail} />
        )}
      </main>
      <Notices />
      {helpIsOpen && <Shortcuts onClose={() => setHelp(false)} />}
    </>
  );
}

function Connection() {
  const { mode, status } = useStore(live);
  const words = { connecting: 'Connecting', live: 'Live', lost: 'Connection lost' };
  const tones = { connecting: 'quiet', live: 'good', lost: 'bad' } as const;
  return (
    <span className="connection" title={status === null ? undefined : `As of ${absolute(status.at)}`}>
      <Badge tone={tones[mode]}>{words[mode]}</Badge>
    </span>
  );
}

/** Told once when it happens; the time that passes is not read out. */
function Lost() {
  const { mode, since, status, why } = useStore(live);
  const now = useNow();
  return (
    <div role="status">
      {mode === 'lost' && (
        <p className="lost">
          <strong>Connection lost, since {clock(since)}</strong>
          <span aria-hidden="true"> ({relative(since, now)})</span>. {why}{' '}
          {status === null ? '' : `What you see is as of ${clock(status.at)}.`} Trying again by itself.
        </p>
      )}
    </div>
  );
}

function Tools({ onHelp }: { onHelp: () => void }) {
  const chosen = useStore(theme);
  const who = useStore(session);
  return (
    <span className="tools">
      {who.mode === 'signed-in' && (
        <span className="who wide">
          {who.client}
          {!who.mayChange && <span className="note"> · looks only</span>}
        </span>
      )}
      <button type="button" className="bare" onClick={nextTheme} title="Colours: system, light or dark">
        <span className="sr">Colours: </span>
        {{ system: '◐ Auto', light: '○ Light', dark: '● Dark' }[chosen]}
      </button>
      <button
        type="button"
        className="bare wide"
        onClick={onHelp}
        aria-label="Keyboard shortcuts"
        title="Keyboard shortcuts (?)"
      >
        ?
      </button>
      <button type="button" className="bare" onClick={() => signOut()}>
        Sign out
      </button>
    </span>
  );
}

function Notices() {
  const list = useStore(notices);
  return (
    <div className="notices" role="status">
      {list.map(({ id, tone, text }) => (
        <p key={id} className={`notice ${tone}`}>
          <span>
            <span aria-hidden="true">{tone === 'good' ? '●' : '■'} </span>
            {tone === 'bad' && <span className="sr">Failed: </span>}
            {text}
          </span>
          <button type="button" className="bare" aria-label="Dismiss" onClick={() => dismiss(id)}>
            ✕
          </button>
        </p>
      ))}
    </div>
  );
}

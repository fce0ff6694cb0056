/** Keys: `g` and a letter to go to a page, `/` to the search, `?` for this list. None of them while somebody types. */
import { useEffect, useRef } from 'react';
import { PAGES } from './pages.js';
import { go } from './router.js';
import { nextTheme } from './theme.js';
import { Dialog } from './ui.js';

/** A letter after `g` counts for so long. */
const SEQUENCE_MS = 1_500;

export function useKeys(onHelp: () => void): void {
  const help = useRef(onHelp);
  help.current = onHelp;
  useEffect(() => {
    let wentAt = Number.NEGATIVE_INFINITY;
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const isSecond = event.timeStamp - wentAt < SEQUENCE_MS;
      wentAt = Number.NEGATIVE_INFINITY;
      const page = isSecond ? PAGES.find(({ key }) => key === event.key) : undefined;
      if (page !== undefined) go(page.name);
      else if (event.key === 'g') wentAt = event.timeStamp;
      else if (event.key === '?') help.current();
      else if (event.key === 't') nextTheme();
      else if (event.key === '/') focusSearch(event);
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, []);
}

export function Shortcuts({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <dl className="keys">
        {PAGES.map(({ name, title, key }) => (
          <div key={name}>
            <dt>
              <kbd>g</kbd> <kbd>{key}</kbd>
            </dt>
            <dd>{title}</dd>
          </div>
        ))}
        <div>
          <dt>
            <kbd>/</kbd>
          </dt>
          <dd>To the search of the page, or to Events</dd>
        </div>
        <div>
          <dt>
            <kbd>t</kbd>
          </dt>
          <dd>Colours: system, light, dark</dd>
        </div>
        <div>
          <dt>
            <kbd>?</kbd>
          </dt>
          <dd>This list</dd>
        </div>
        <div>
          <dt>
            <kbd>Esc</kbd>
          </dt>
          <dd>Close what is open</dd>
        </div>
      </dl>
    </Dialog>
  );
}

function focusSearch(event: KeyboardEvent): void {
  event.preventDefault();
  const field = document.querySelector<HTMLInputElement>('[data-search]');
  if (field === null) go('events');
  else field.focus();
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.matches('input, select, textarea') ||
      target.isContentEditable ||
      target.closest('dialog') !== null)
  );
}

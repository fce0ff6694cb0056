/** The body of a message: masked, until somebody who may asks to see it. */
import { bytes } from './format.js';
import { Table } from './ui.js';
import type { MaskedPayload } from './wire.js';

export function Masked({ payload }: { payload: MaskedPayload }) {
  const note = (
    <p className="note">
      {bytes(payload.bytes)}, SHA-256 <span className="mono">{payload.sha256}</span>
    </p>
  );
  if (payload.fields === null) {
    return (
      <>
        <p className="empty">The body is no notification that can be read, so nothing of it is shown.</p>
        {note}
      </>
    );
  }
  return (
    <>
      <Table
        caption="Fields of the body"
        empty="The body has no fields."
        columns={[{ title: 'Field' }, { title: 'Value' }]}
        rows={payload.fields.map(({ name, value, masked }, at) => ({
          key: `${at} ${name}`,
          cells: [
            <span key="n" className="mono">
              {name}
            </span>,
            <span key="v" className="mono">
              {masked ? <span className="note">•••• masked</span> : value}
            </span>,
          ],
        }))}
      />
      {note}
    </>
  );
}

/** `text` undefined: it is not text. */
export function Revealed({ text, base64 }: { text: string | null | undefined; base64: string | undefined }) {
  return (
    <>
      {(text === null || text === undefined) && <p className="note">Not valid UTF-8; in base64:</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard. */}
      <pre tabIndex={0}>{text ?? base64 ?? ''}</pre>
    </>
  );
}

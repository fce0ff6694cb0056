/**
 * The certificate and the key of a gateway that ends TLS itself, looked at before it listens: uWebSockets.js says of wrong files no more
 * than that it failed, and of an expired certificate nothing at all.
 *
 * | refused                                                    | warned of                                  |
 * |------------------------------------------------------------|--------------------------------------------|
 * | no such file, no PEM, an encrypted key                      | expires within `TLS_DAYS_MIN` days          |
 * | a key of another certificate                                |                                            |
 * | a certificate that is not valid yet, or not any more        |                                            |
 * | a key that others may read, or change                       |                                            |
 *
 * Both are read once, at the start. uWebSockets.js cannot change them on a port that listens: it offers names of SNI that come and go, but frees
 * with a name what its open connections still use. So nodes are restarted, one after the other, when a certificate is renewed.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { reasonOf } from './endpoints/references.js';
import { whoElse } from './secret-files.js';

/** Absolute paths. */
interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

interface TlsFinding {
  /** Until the certificate expires, rounded down; undefined when it cannot be read. */
  readonly days: number | undefined;
  readonly names: string | undefined;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

const DAY_MS = 86_400_000;
/** As many as a person needs to notice that the renewal did not work. */
const TLS_DAYS_MIN = 14;

async function lookAtTls({ certFile, keyFile }: TlsFiles, nowMs: number): Promise<TlsFinding> {
  const problems: string[] = [];
  const warnings: string[] = [];
  const refuse = (key: string, file: string, why: string) => problems.push(`${key}: ${file} ${why}`);
  const certificate = await readPem(certFile, (pem) => new X509Certificate(pem));
  const key = await readPem(keyFile, readKey);
  if ('problem' in certificate) refuse('TETHER_TLS_CERT_FILE', certFile, certificate.problem);
  if ('problem' in key) refuse('TETHER_TLS_KEY_FILE', keyFile, key.problem);
  else {
    const others = whoElse(await stat(keyFile));
    if (others !== undefined)
      refuse(
        'TETHER_TLS_KEY_FILE',
        keyFile,
        `is for others to ${others}: chmod 600, or 440 where a group hands it out`,
      );
  }
  if ('problem' in certificate) return { days: undefined, names: undefined, problems, warnings };
  const { validFrom, validTo, subjectAltName, subject } = certificate.value;
  const leftMs = Date.parse(validTo) - nowMs;
  const days = Math.floor(leftMs / DAY_MS);
  if (leftMs <= 0) refuse('TETHER_TLS_CERT_FILE', certFile, `is expired since ${validTo}`);
  else if (Date.parse(validFrom) > nowMs)
    refuse('TETHER_TLS_CERT_FILE', certFile, `is valid from ${validFrom} on`);
  else if (days < TLS_DAYS_MIN)
    warnings.push(
      `TETHER_TLS_CERT_FILE: ${certFile} expires in ${days} days: renew it, and restart the nodes one after the other`,
    );
  if ('value' in key && !certificate.value.checkPrivateKey(key.value))
    refuse('TETHER_TLS_KEY_FILE', keyFile, `is not the key of ${certFile}`);
  return { days, names: subjectAltName ?? subject, problems, warnings };
}

type Read<Value> = { readonly value: Value } | { readonly problem: string };

/** What the parsers say of a wrong file is not passed on: it is of no help, and may quote. */
async function readPem<Value>(file: string, parse: (pem: string) => Value): Promise<Read<Value>> {
  let pem: string;
  try {
    pem = await readFile(file, 'utf8');
  } catch (cause) {
    return { problem: `cannot be read: ${reasonOf(cause)}` };
  }
  if (/^-----BEGIN ENCRYPTED|^Proc-Type: 4,ENCRYPTED/m.test(pem))
    return { problem: 'is encrypted: decrypt it, nobody is there to type its password' };
  try {
    return { value: parse(pem) };
  } catch {
    return { problem: 'is no PEM of what is expected there' };
  }
}

function readKey(pem: string): KeyObject {
  return createPrivateKey(pem);
}

export { lookAtTls, TLS_DAYS_MIN, type TlsFiles };

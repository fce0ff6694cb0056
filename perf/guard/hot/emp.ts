/** What the edge does with the body of a notification of EMP: all of it, and two parts that are most of it. */
import { empTraffic } from '../../../deploy/send/emp-traffic.js';
import { load } from '../side.js';
import { expectEqual, type HotFunction } from './hot-function.js';

const SEED = 20_261_126;
const PASSWORD = 'a-password-of-the-guard';
/** A power of two. */
const BODIES = 64;

/** The same for both sides. */
function bodies(): readonly Buffer[] {
  const traffic = empTraffic({ seed: SEED, count: BODIES, password: PASSWORD, kinds: ['processing'] });
  return Array.from(traffic, ({ body }) => Buffer.from(body));
}

const recognise: HotFunction = {
  name: 'EMP: recognise a notification',
  calls: 1_000,
  async prepare(side) {
    const { EmpProvider } = (await load(
      side,
      'gateway/providers/emp/provider.js',
    )) as typeof import('../../../gateway/providers/emp/provider.js');
    const provider = new EmpProvider({ endpoint: 'emp', secrets: [PASSWORD] });
    const all = bodies();
    return {
      run(calls) {
        let accepted = 0;
        for (let at = 0; at < calls; at++) {
          if (provider.recognise(all[at % BODIES] as Buffer).outcome === 'accepted') accepted++;
        }
        expectEqual('the number of accepted notifications', accepted, calls);
      },
    };
  },
};

const scan: HotFunction = {
  name: 'EMP: scan a form',
  calls: 2_000,
  async prepare(side) {
    const { FormScanner, fieldNumber } = (await load(
      side,
      'gateway/providers/emp/scan.js',
    )) as typeof import('../../../gateway/providers/emp/scan.js');
    const scanner = new FormScanner();
    const signature = fieldNumber('signature');
    const all = bodies();
    return {
      run(calls) {
        let found = 0;
        for (let at = 0; at < calls; at++) {
          scanner.scan(all[at % BODIES] as Buffer);
          if (!scanner.isEmpty(signature)) found++;
        }
        expectEqual('the number of signatures found', found, calls);
      },
    };
  },
};

const sign: HotFunction = {
  name: 'EMP: check a signature',
  calls: 1_000,
  async prepare(side) {
    const { Signatures } = (await load(
      side,
      'gateway/providers/emp/signature.js',
    )) as typeof import('../../../gateway/providers/emp/signature.js');
    const signatures = new Signatures([PASSWORD]);
    const all = bodies().map((body) => {
      const place = (field: string) => {
        const start = `&${body}`.indexOf(`&${field}=`) + field.length + 1;
        const end = body.indexOf('&', start);
        return { start, end: end === -1 ? body.length : end };
      };
      return { body, id: place('unique_id'), signature: place('signature') };
    });
    return {
      run(calls) {
        let signed = 0;
        for (let at = 0; at < calls; at++) {
          const { body, id, signature } = all[at % BODIES] as (typeof all)[number];
          if (signatures.isSigned(body, id.start, id.end, signature.start, signature.end)) signed++;
        }
        expectEqual('the number of right signatures', signed, calls);
      },
    };
  },
};

export const EMP_FUNCTIONS: readonly HotFunction[] = [recognise, scan, sign];

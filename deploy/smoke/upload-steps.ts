/** The steps of a file: in, its rows, back out; and its removal. Its rows are all invalid, so that no debtor comes of it. */
import { SmokeFailure } from './http.js';
import { uploadSchema } from './schemas.js';
import type { SmokeContext, SmokeStep } from './steps.js';

/** Two rows, each with an IBAN whose check digits are wrong. */
const FILE =
  'first_name,last_name,iban,amount\nSmoke,Test,DE00370400440532013000,1.00\nSmoke,Test,DE01370400440532013000,1.00\n';
const FILE_ROWS = 2;
const UNDER_WAY: readonly string[] = ['receiving', 'stored', 'processing'];

const UPLOAD_STEPS: readonly SmokeStep[] = [
  {
    id: 'upload',
    group: 'uploads',
    title: 'A file is taken',
    needs: ['health', 'api'],
    async run({ target, lasting: http, state }) {
      const headers = { authorization: `Bearer ${target.apiToken}`, 'content-type': 'text/csv' };
      const asked = { headers, body: FILE };
      const { status, text, ms } = await http.request(
        target.url,
        'POST',
        '/uploads?filename=tether-smoke.csv',
        asked,
      );
      if (status !== 201)
        throw new SmokeFailure(
          `answered ${status} ${http.problemIn(text)}`.trim(),
          UPLOAD_ADVICE.get(status),
        );
      state.uploadId = http.parse(text, uploadSchema, 'POST /uploads').id;
      return `stored in ${ms} ms: ${state.uploadId}`;
    },
  },
  {
    id: 'processing',
    group: 'uploads',
    title: 'Its rows are read and judged',
    needs: ['upload'],
    async run(context) {
      const path = uploadPath(context);
      const { target, http } = context;
      let seen = 'nothing';
      const upload = await context.until(
        () => `it is ${seen}, and not read: do workers run the actor "upload", and reach the object store?`,
        async () => {
          const found = await http.json(target.url, 'GET', path, uploadSchema, target.apiToken);
          seen = found.state;
          return UNDER_WAY.includes(found.state) ? undefined : found;
        },
      );
      if (upload.state !== 'completed')
        throw new SmokeFailure(`it is ${upload.state}: ${upload.failure?.detail ?? 'no reason'}`);
      const { total, invalid } = upload.counts;
      if (total !== FILE_ROWS || invalid !== FILE_ROWS)
        throw new SmokeFailure(`of ${total} rows ${invalid} were found invalid; all ${FILE_ROWS} are`);
      return `${total} rows, each found invalid as it is`;
    },
  },
  {
    id: 'download',
    group: 'uploads',
    title: 'The file and its errors come back out',
    needs: ['processing'],
    async run(context) {
      const { target, http } = context;
      const headers = { authorization: `Bearer ${target.apiToken}` };
      const [file, errors] = await Promise.all(
        ['file', 'errors.csv'].map((name) =>
          http.request(target.url, 'GET', `${uploadPath(context)}/${name}`, { headers }),
        ),
      );
      if (file?.status !== 200 || file.text !== FILE)
        throw new SmokeFailure(`the file: ${file?.status}, and not as it was sent`);
      const lines = errors?.text.trim().split('\n').length ?? 0;
      if (errors?.status !== 200 || lines !== FILE_ROWS + 1)
        throw new SmokeFailure(`errors.csv: ${errors?.status}, ${lines} lines instead of ${FILE_ROWS + 1}`);
      return `${Buffer.byteLength(FILE)} bytes as they were sent, and a line for each invalid row`;
    },
  },
];

const UPLOAD_ADVICE: ReadonlyMap<number, string> = new Map([
  [401, 'the API token (TETHER_API_TOKEN, --token) is not that of the nodes'],
  [403, 'the balancer keeps /uploads from this machine, or the token has not the scope uploads:write'],
  [404, 'a worker was asked: the balancer sends uploads to gateways'],
  [413, 'the balancer takes shorter bodies than the node'],
  [
    503,
    'the object store or Postgres is away, or too many uploads come in: GET /readyz of the nodes says which',
  ],
]);

function uploadPath({ state }: SmokeContext): string {
  return `/uploads/${state.uploadId}`;
}

/** Removes what was made. @returns what was removed, or undefined when there was nothing. @throws SmokeFailure */
async function cleanUp(context: SmokeContext): Promise<string | undefined> {
  const { target, lasting: http, state } = context;
  if (state.uploadId === undefined) return undefined;
  const headers = { authorization: `Bearer ${target.apiToken}` };
  const { status } = await http.request(target.url, 'DELETE', uploadPath(context), { headers });
  if (status !== 204 && status !== 202 && status !== 404)
    throw new SmokeFailure(
      `DELETE ${uploadPath(context)}: ${status}`,
      'remove the file by hand: it is named tether-smoke.csv',
    );
  return 'the file is removed; the event stays';
}

export { cleanUp, UPLOAD_STEPS };

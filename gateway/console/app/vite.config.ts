/**
 * How the console is built: into files that the gateway reads at its start, each with its compressed forms beside it, so that no node spends its
 * start on compressing. Names hold a hash of the content; `index.html` alone keeps its name.
 */
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

/** Below this a compressed form saves no packet. */
const COMPRESSED_BYTES_MIN = 1_000;

/** `x` gets `x.br` and `x.gz` beside it. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        for (const file of Object.values(bundle)) {
          const bytes = Buffer.from(file.type === 'chunk' ? file.code : file.source);
          if (bytes.byteLength < COMPRESSED_BYTES_MIN) continue;
          const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
          const add = (ending: string, source: Buffer) =>
            this.emitFile({ type: 'asset', fileName: file.fileName + ending, source });
          add('.br', brotliCompressSync(bytes, { params }));
          add('.gz', gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION }));
        }
      },
    },
  };
}

export default defineConfig({
  root: import.meta.dirname,
  base: '/console/',
  publicDir: false,
  logLevel: 'warn',
  plugins: [compressed()],
  build: {
    outDir: '../../../dist/gateway/console/assets',
    emptyOutDir: true,
    assetsDir: '',
    // A data URL in a style sheet is nothing that the console needs, and nothing that its policy allows for fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    reportCompressedSize: false,
  },
});

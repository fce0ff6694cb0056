/** The suite on Tether, its actors in two worker threads: not there yet, so every benchmark is skipped. */
import { runProgram } from '../program.js';

await runProgram({});

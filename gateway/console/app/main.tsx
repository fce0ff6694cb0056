/** The console: asks for a token, then shows the node. */
import 'uplot/dist/uPlot.min.css';
import './styles/base.css';
import './styles/frame.css';
import './styles/parts.css';
import './styles/pages.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { session } from './session.js';
import { Shell } from './shell.js';
import { SignIn } from './sign-in.js';
import { useStore } from './store.js';
import { apply } from './theme.js';

function Console() {
  const { mode } = useStore(session);
  return mode === 'signed-in' ? <Shell /> : <SignIn />;
}

apply();
const root = document.getElementById('root');
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <Console />
    </StrictMode>,
  );
}

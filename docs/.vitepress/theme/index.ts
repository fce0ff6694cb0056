/** VitePress's own theme with the fonts of the reader's machine, and tables that scroll by themselves where the window is narrow. */
import theme from 'vitepress/theme-without-fonts';
import './style.css';

export default theme;

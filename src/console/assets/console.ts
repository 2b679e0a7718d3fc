// The only script of the console. Every page works without it.
import { tickTimes } from './clock.js';
import { addCopyButtons } from './copy.js';
import { sendFormsOnce } from './forms.js';
import { listenForKeys } from './keys.js';
import { watchForNews } from './news.js';

const news = watchForNews(addCopyButtons);
tickTimes(news.isPaused);
addCopyButtons(document.querySelector('main') as HTMLElement);
listenForKeys(news.togglePause);
sendFormsOnce();

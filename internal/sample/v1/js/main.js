import { version } from './version.js';
import { loadBirds, matching } from './birds.js';
import { Updater } from './updater.js';

const list = document.querySelector('#birds');
const status = document.querySelector('#status');
const search = document.querySelector('#search');

function card(bird) {
  const item = document.createElement('li');
  item.className = 'card';
  const name = document.createElement('h2');
  name.textContent = bird.name;
  const note = document.createElement('p');
  note.textContent = `${bird.latin}, ${bird.size} cm. ${bird.note}`;
  item.append(name, note);
  return item;
}

function show(birds) {
  list.replaceChildren(...birds.map(card));
  status.textContent = birds.length === 1 ? '1 bird' : `${birds.length} birds`;
}

async function start() {
  document.querySelector('#version').textContent = version;
  const birds = await loadBirds();
  show(birds);
  search.addEventListener('input', () => show(matching(birds, search.value)));

  // The page works: keep this bundle. Without this call the native side goes
  // back to the bundle before it.
  await Updater.notifyAppReady();
}

start();

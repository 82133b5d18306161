// The next pattern is dropped onto the result of the last: same bundle and settings, except what belongs to the file.

const box = document.getElementById("next");
const words = document.getElementById("next-words");
const KEPT = ["convergence_mrad", "mirrored"]; // pixel size and voltage are the file's

async function send(file) {
  const content = new FormData();
  const options = JSON.parse(box.dataset.options);
  content.append("file", file);
  content.append("bundle", box.dataset.bundle);
  for (const name of KEPT) if (options[name] !== undefined) content.append(name, options[name]);
  const begun = performance.now();
  const timer = setInterval(() => {
    words.textContent = `${file.name}: computing, ${((performance.now() - begun) / 1000).toFixed(0)} s`;
  }, 500);
  words.textContent = `${file.name}: sending`;
  try {
    const answer = await fetch("/", { method: "POST", body: content, headers: { Accept: "application/json" } });
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.detail);
    location.assign(said.location);
  } catch (error) {
    words.textContent = `${file.name}: ${error.message}`;
  } finally {
    clearInterval(timer);
  }
}

function start() {
  words.hidden = false;
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) send(event.dataTransfer.files[0]);
  });
}

if (box) start();

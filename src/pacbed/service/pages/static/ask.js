// A pattern is dropped, looked at, and sent; the form alone does the same without this script.

const form = document.getElementById("ask");
const file = document.getElementById("file");
const drop = document.getElementById("drop");
const bundle = document.getElementById("bundle");
const send = document.getElementById("send");
const atOnce = document.getElementById("at-once");
const stage = document.getElementById("stage");
const bar = document.getElementById("bar");
const STATED = ["convergence_mrad", "pixel_mrad", "energy_kev"];
const KEPT = "pacbed-at-once";
const corrected = new Set(); // fields that a person has set: a file does not overwrite them
const JSON_ONLY = { Accept: "application/json, application/problem+json" };
let looked = 0;

function tell(text) {
  const box = document.getElementById("trouble");
  box.replaceChildren();
  if (!text) return;
  const line = document.createElement("p");
  line.className = "message error";
  line.setAttribute("role", "alert");
  line.textContent = text;
  box.append(line);
}

function showRanges() {
  const chosen = bundle.selectedOptions[0];
  document.getElementById("ranges").textContent = chosen?.dataset.ranges ?? "";
}

function fill(name, value) {
  const field = form.elements[name];
  const source = document.getElementById(`${name}-source`);
  const stated = value !== null && value !== undefined;
  if (corrected.has(name)) return;
  if (stated) field.value = Number(value.toPrecision(6));
  else if (source.textContent) field.value = ""; // what the file before said
  source.textContent = stated ? "from the file" : "";
}

async function look() {
  const number = ++looked;
  tell("");
  document.getElementById("preview").hidden = true;
  if (!file.files.length) return;
  document.getElementById("drop-words").textContent = `${file.files[0].name} is being read …`;
  const content = new FormData();
  content.append("file", file.files[0]);
  if (form.elements.dataset.value) content.append("dataset", form.elements.dataset.value);
  let seen;
  try {
    const answer = await fetch("/preview", { method: "POST", body: content, headers: JSON_ONLY });
    seen = await answer.json();
    if (!answer.ok) throw new Error(seen.detail);
  } catch (error) {
    if (number !== looked) return;
    document.getElementById("drop-words").textContent = `${file.files[0].name} cannot be used`;
    tell(error.message);
    return;
  }
  if (number === looked) use(seen);
}

function use(seen) {
  document.getElementById("drop-words").textContent = file.files[0].name;
  document.getElementById("picture").src = seen.picture;
  const facts = document.getElementById("facts");
  facts.replaceChildren(
    ...seen.lines.map((line) => {
      const item = document.createElement("li");
      item.textContent = line;
      return item;
    }),
  );
  document.getElementById("preview").hidden = false;
  for (const name of STATED) fill(name, seen[name]);
  if (seen.fits.length === 1 && !corrected.has("bundle")) bundle.value = seen.fits[0];
  showRanges();
  const complete = bundle.value && form.elements.convergence_mrad.value;
  if (complete && atOnce.checked) submit();
  else if (complete) send.focus();
  else (bundle.value ? form.elements.convergence_mrad : bundle).focus();
}

function submit() {
  if (!form.reportValidity()) return;
  tell("");
  send.disabled = true;
  document.getElementById("progress").hidden = false;
  const request = new XMLHttpRequest();
  request.open("POST", "/");
  request.setRequestHeader("Accept", JSON_ONLY.Accept);
  request.responseType = "json";
  const begun = performance.now();
  request.upload.addEventListener("progress", (event) => {
    bar.value = event.loaded / event.total;
    stage.textContent = `sending, ${Math.round((100 * event.loaded) / event.total)} %`;
  });
  let timer = null;
  request.upload.addEventListener("load", () => {
    bar.removeAttribute("value");
    timer = setInterval(() => watch(begun), 700);
  });
  request.addEventListener("loadend", () => {
    clearInterval(timer);
    finish(request);
  });
  request.send(new FormData(form));
}

async function watch(begun) {
  const seconds = ((performance.now() - begun) / 1000).toFixed(0);
  stage.textContent = `computing, ${seconds} s`;
  const answer = await fetch("/queue", { headers: JSON_ONLY }).catch(() => null);
  if (!answer?.ok || document.getElementById("progress").hidden) return;
  const { waiting } = await answer.json();
  if (waiting) stage.textContent = `${waiting} ${waiting === 1 ? "waits" : "wait"} for a turn, ${seconds} s`;
}

function finish(request) {
  if (request.status === 201) {
    stage.textContent = "done";
    location.assign(request.response.location);
    return;
  }
  document.getElementById("progress").hidden = true;
  send.disabled = false;
  const retry = request.getResponseHeader("Retry-After");
  const said = request.response?.detail ?? "the service does not answer; is it running?";
  tell(retry ? `${said}. Send it again in ${retry} s.` : said);
  send.focus();
}

function start() {
  document.getElementById("drop-words").textContent = "Drop the microscope's file here, or choose it";
  document.getElementById("at-once-label").hidden = false;
  atOnce.checked = localStorage.getItem(KEPT) === "yes";
  atOnce.addEventListener("change", () => localStorage.setItem(KEPT, atOnce.checked ? "yes" : "no"));
  for (const name of [...STATED, "bundle"]) {
    form.elements[name].addEventListener("input", () => {
      corrected.add(name);
      const source = document.getElementById(`${name}-source`);
      if (source) source.textContent = "";
    });
  }
  bundle.addEventListener("change", showRanges);
  form.elements.dataset.addEventListener("change", look);
  file.addEventListener("change", look);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  // Anywhere on the page, so that a file that misses the box is not opened by the browser.
  for (const kind of ["dragenter", "dragover"]) {
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) drop.classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    if (!event.dataTransfer.files.length) return;
    const one = new DataTransfer();
    one.items.add(event.dataTransfer.files[0]);
    file.files = one.files;
    look();
  });
  if (file.files.length) look(); // the browser has kept it over a step back
}

start();

// Any candidate beside the measured pattern: sliders, points of the curve, keys. The server renders.

const panel = document.querySelector(".compare-row");
const form = document.getElementById("candidate");
const curve = document.getElementById("curve");
const trouble = document.getElementById("trouble");
let point = null; // of the curve, whose pattern lies on the camera as it was compared there
let wanted = null; // the address that is to be shown next
let busy = false;

function numberOf(name) {
  return form.elements[name];
}

function names() {
  return [...form.querySelectorAll("input[type=number]")].map((input) => input.name);
}

function setAmount(name, value) {
  const input = numberOf(name);
  input.value = Number(value).toFixed(Number(input.dataset.digits));
  input.dataset.exact = value;
  form.querySelector(`[data-for=${name}]`).value = value;
}

function address() {
  const url = new URL(panel.dataset.picture, location.href);
  for (const name of names()) url.searchParams.set(name, numberOf(name).dataset.exact);
  if (point !== null) url.searchParams.set("point", point);
  return url;
}

async function draw() {
  wanted = address();
  if (busy) return; // the latest wish is drawn when this one is there
  busy = true;
  while (wanted) {
    const url = wanted;
    wanted = null;
    try {
      await show(await fetch(url, { headers: { Accept: "image/png, application/problem+json" } }));
    } catch (error) {
      tell("The service does not answer; try again.");
    }
  }
  busy = false;
}

async function show(answer) {
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({ detail: `status ${answer.status}` }));
    tell(problem.detail);
    return;
  }
  tell("");
  const picture = URL.createObjectURL(await answer.blob());
  const tiles = [...panel.querySelectorAll(".tile")];
  const before = tiles[0].src;
  for (const tile of tiles) tile.src = picture;
  if (before.startsWith("blob:")) URL.revokeObjectURL(before);
  const thickness = Number(answer.headers.get("X-Pacbed-Thickness"));
  const ratio = Number(answer.headers.get("X-Pacbed-Ratio"));
  panel.querySelector(".candidate").alt = `Candidate: ${thickness.toFixed(1)} nm`;
  document.querySelector("#ratio strong").textContent = ratio.toFixed(2);
  mark(thickness, ratio);
}

function tell(text) {
  trouble.textContent = text;
  trouble.hidden = !text;
}

function mark(thickness, ratio) {
  const at = Object.fromEntries(Object.entries(curve.dataset).map(([name, value]) => [name, Number(value)]));
  const across = Math.min(1, Math.max(0, (thickness - at.low) / (at.high - at.low)));
  const up = Math.log(Math.min(Math.max(ratio, 0.93), at.top) / 0.93) / Math.log(at.top / 0.93);
  const here = document.getElementById("here");
  here.setAttribute("cx", at.left + (at.right - at.left) * across);
  here.setAttribute("cy", at.foot - (at.foot - at.head) * up);
}

function choose(link) {
  point = link.dataset.point;
  for (const name of names()) setAmount(name, link.dataset[name]);
  draw();
}

function nearest(event) {
  const box = curve.getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * curve.viewBox.baseVal.width;
  const away = (link) => Math.abs(Number(link.querySelector("circle").getAttribute("cx")) - x);
  return [...curve.querySelectorAll("a")].reduce((best, link) => (away(link) < away(best) ? link : best));
}

function start() {
  for (const slider of form.querySelectorAll("input[type=range]")) {
    slider.hidden = false;
    slider.addEventListener("input", () => {
      setAmount(slider.dataset.for, slider.value);
      draw();
    });
  }
  for (const name of names()) {
    numberOf(name).addEventListener("change", (event) => {
      if (event.target.value === "" || !event.target.checkValidity()) return;
      event.target.dataset.exact = event.target.value;
      form.querySelector(`[data-for=${name}]`).value = event.target.value;
      draw();
    });
  }
  document.getElementById("show").hidden = true;
  form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("reset").addEventListener("click", (event) => {
    event.preventDefault();
    point = null;
    for (const name of names()) setAmount(name, numberOf(name).dataset.best);
    draw();
  });
  curve.addEventListener("click", (event) => {
    event.preventDefault();
    choose(event.target.closest("a") ?? nearest(event));
  });
  for (const link of document.querySelectorAll("[data-choose]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      choose(curve.querySelector(`[data-point="${link.dataset.choose}"]`));
      document.getElementById("compare").scrollIntoView();
    });
  }
}

function offerCopy() {
  const button = document.getElementById("copy");
  if (!button || !navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById("link").value);
    button.textContent = "Copied";
  });
}

if (form) start();
offerCopy();

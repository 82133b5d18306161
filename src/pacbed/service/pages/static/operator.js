// Keeps queue and workers on the operator's page fresh while it is looked at.

const EVERY_MS = 2000;
const places = new Map(
  [...document.querySelectorAll("[data-live]")].map((place) => [place.dataset.live, place]),
);
const CALLED = { "~start": "operator", "~anybody": "this machine" };

function cell(kind, text, number = true) {
  const made = document.createElement(kind);
  made.textContent = text;
  if (kind === "th") made.scope = "row";
  if (number) made.className = "number";
  return made;
}

function row(worker) {
  const made = document.createElement("tr");
  made.append(
    cell("th", worker.pid, false),
    cell("td", `${worker.memory_mb.toFixed(0)} MB`),
    cell("td", `${worker.cpu_s.toFixed(0)} s`),
  );
  return made;
}

function show(state) {
  const waiting = Object.entries(state.waiting_by_token).map(
    ([name, count]) => `${CALLED[name] ?? name} ${count}`,
  );
  places.get("ready").textContent = state.ready ? "ready" : "warming up";
  for (const name of ["server", "running", "waiting", "workers_replaced"]) {
    places.get(name).textContent = state[name];
  }
  places.get("free_gb").textContent = `${state.free_gb.toFixed(1)} GB`;
  places.get("waiting_by_token").textContent = waiting.join(", ") || "nobody waits";
  places.get("workers").replaceChildren(...state.workers.map(row));
}

async function refresh() {
  if (document.hidden) return;
  const note = places.get("note");
  try {
    const answer = await fetch("/api/v1/state", { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    show(await answer.json());
    note.textContent = "Refreshed every two seconds.";
  } catch (error) {
    note.textContent = `Not fresh: the service does not answer (${error.message}).`;
  }
}

refresh();
setInterval(refresh, EVERY_MS);
document.addEventListener("visibilitychange", refresh);

// Shows the counters that are not zero, anew every two seconds.
const body = document.querySelector("#stats tbody");
async function show() {
  try {
    const stats = await (await fetch("stats")).json();
    const rows = Object.entries(stats).filter(([, value]) => value > 0).map(([name, value]) => {
      const row = document.createElement("tr");
      for (const text of [name, value.toLocaleString("en")]) {
        row.appendChild(document.createElement("td")).textContent = text;
      }
      return row;
    });
    body.replaceChildren(...rows);
  } catch {
    // The image has ended; the last counters stay.
  }
}
show();
setInterval(show, 2000);

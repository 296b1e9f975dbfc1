// Tables that are wider than the screen are stacked: each row is a list of its cells, with the column's name before each.
function fitTables() {
  for (const table of document.querySelectorAll(".bd-article table")) {
    const names = [...table.querySelectorAll("thead th")].map(cell => cell.textContent.trim());
    if (!names.length) continue;
    table.classList.remove("stacked");
    for (const row of table.querySelectorAll("tbody tr"))
      [...row.cells].forEach((cell, i) => { cell.dataset.name = names[i] || ""; });
    table.classList.toggle("stacked", table.scrollWidth > table.clientWidth + 1);
  }
}
fitTables();
window.addEventListener("load", fitTables);
window.addEventListener("resize", fitTables);

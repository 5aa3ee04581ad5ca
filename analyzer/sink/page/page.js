/* page: what happens when the page opens, changes its theme, or goes to paper. */
const THEMES = ["as the screen", "light", "dark"];

function addTheme() {
  const button = make("button", {type: "button", id: "theme"}, "Theme: " + THEMES[0]);
  let theme = 0;
  button.addEventListener("click", function () {
    theme = (theme + 1) % THEMES.length;
    button.textContent = "Theme: " + THEMES[theme];
    if (theme === 0) document.documentElement.removeAttribute("data-theme");
    else document.documentElement.dataset.theme = THEMES[theme];
    redrawPlots();
  });
  document.getElementById("tools").append(button);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawPlots);
}

function addProblems() {
  document.querySelectorAll("details.problem").forEach(function (problem) {
    problem.addEventListener("toggle", function () {
      if (problem.open) addToProblem(problem);
    });
  });
}

window.addEventListener("beforeprint", function () {
  if (!report.live) document.querySelectorAll("details.problem").forEach(function (problem) {
    problem.open = true;
    addToProblem(problem);
  });
  plotsToPaper(true);
});
window.addEventListener("afterprint", () => plotsToPaper(false));

function openPage() {
  document.querySelectorAll(".filter code").forEach(addCopy);
  addTheme();
  addProblems();
  addDwell();
  addHosts();
  addTable();
  if (report.live) beginLive();
}

(function () {
  "use strict";
  var options = { responsive: true, displaylogo: false, displayModeBar: false };
  document.querySelectorAll(".plotly").forEach(function (place) {
    var spec = JSON.parse(document.getElementById(place.dataset.spec).textContent);
    Plotly.newPlot(place, spec.data, spec.layout, options);
  });
  var box = document.getElementById("lightbox");
  document.querySelectorAll(".zoom").forEach(function (button) {
    button.addEventListener("click", function () {
      var small = button.querySelector("img");
      box.querySelector("img").src = small.src;
      box.querySelector("img").alt = small.alt;
      box.querySelector("p").textContent = small.alt;
      box.showModal();
    });
  });
  if (box) { box.addEventListener("click", function () { box.close(); }); }
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details").forEach(function (part) { part.open = true; });
  });
}());

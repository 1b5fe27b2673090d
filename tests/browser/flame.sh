#!/bin/sh
# Drives a flame graph in a headless Chromium: tests/browser/flame.sh FILE.svg NAME
#
# FILE.svg was written by `cprof flame`; NAME is a function in it that is neither the widest nor the
# only one of its row. A copy gets a script of ours that clicks and searches as a user would and
# leaves its findings in the document, which the browser then prints.
set -eu

svg=$1 name=$2
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
	echo "skipped: there is no Chromium here (apt-get install chromium)"
	exit 0
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

grep -v '^</svg>' "$svg" >"$work/flame.svg"
cat >>"$work/flame.svg" <<EOF
<script><![CDATA[
(function () {
	var failures = [];
	var svg = document.documentElement;
	var name = "$name";
	var boxes = Array.from(svg.querySelectorAll(".box"));
	var full = Number(svg.getAttribute("width")) - 20;

	function check(ok, what) {
		if (!ok)
			failures.push(what);
	}
	function nameOf(box) {
		return box.querySelector("title").textContent.split("\n")[0];
	}
	function widthOf(box) {
		return Number(box.querySelector("rect").getAttribute("width"));
	}
	function carries(outer, inner) {
		return leftOf(outer) <= leftOf(inner) + 0.002 && widthOf(outer) >= widthOf(inner) &&
			leftOf(outer) + widthOf(outer) >= leftOf(inner) + widthOf(inner) - 0.002 &&
			boxes.indexOf(outer) < boxes.indexOf(inner);
	}
	function leftOf(box) {
		return Number(box.querySelector("rect").getAttribute("x"));
	}
	function click(element) {
		element.dispatchEvent(new MouseEvent("click", { bubbles: true }));
	}
	function press(key, ctrl) {
		window.dispatchEvent(new KeyboardEvent("keydown", { key: key, ctrlKey: ctrl }));
	}
	function matched() {
		return svg.querySelector("#matched").textContent;
	}
	var target = boxes.find(function (box) { return nameOf(box) === name; });
	var before = boxes.map(widthOf);
	var named = boxes.filter(function (box) { return nameOf(box) === name; });
	var share = 100 / full * named.filter(function (box) {
		return !named.some(function (other) { return other !== box && carries(other, box); });
	}).reduce(function (sum, box) { return sum + widthOf(box); }, 0);

	target.querySelector("rect").dispatchEvent(new MouseEvent("mouseover", { bubbles: true }));
	check(svg.querySelector("#info").textContent.startsWith(name + ": "), "details of the box");

	click(target.querySelector("rect"));
	check(Math.abs(widthOf(target) - full) < 0.01, "a clicked box fills the width");
	check(boxes.some(function (box) { return box.classList.contains("gone"); }),
		"others are gone");
	boxes.forEach(function (box) {
		if (!box.classList.contains("gone"))
			check(widthOf(box) <= full + 0.01, "no box is wider than the picture");
	});
	window.prompt = function () { return "^" + name + "\$"; };
	press("f", true);
	check(matched() === "Matched: 100.00 %", "matched share while zoomed: " + matched());
	click(svg.querySelector("#reset"));
	check(boxes.every(function (box, i) { return widthOf(box) === before[i]; }),
		"reset puts each box back");
	check(Math.abs(parseFloat(matched().slice(9)) - share) < 0.02,
		"matched share of the whole: " + matched() + ", not " + share);
	check(boxes.filter(function (box) { return box.classList.contains("hit"); })
		.every(function (box) { return nameOf(box) === name; }), "only what matches is marked");
	window.prompt = function () { return name.toUpperCase(); };
	press("f", true);
	check(matched() === "Matched: 0.00 %" || name === name.toUpperCase(), "case counts");
	press("i", true);
	check(parseFloat(matched().slice(9)) >= share - 0.02, "until Ctrl-I: " + matched());
	window.prompt = function () { return "("; };
	press("f", true);
	check(!/^Matched/.test(matched()) && matched() !== " ", "a bad expression is explained");
	press("Escape", false);
	check(matched() === " " && !svg.querySelector(".hit"), "Escape ends the search");
	svg.setAttribute("data-result", failures.length ? "FAILED: " + failures.join("; ") : "passed");
}());
]]></script>
</svg>
EOF
result=$("$browser" --headless --no-sandbox --disable-gpu --dump-dom "file://$work/flame.svg" \
	2>/dev/null | grep -o 'data-result="[^"]*"') || result='data-result="FAILED: no result"'
echo "flame graph in a browser: $(printf %s "$result" | sed 's/^[^"]*"//;s/"$//')"
[ "$result" = 'data-result="passed"' ]

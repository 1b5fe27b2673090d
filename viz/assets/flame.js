/*
 * What a browser adds to the flame graph: zoom, search, and the details of a box. The boxes are in
 * the SVG; a box's <title> is its name and, on the next line, its details.
 */
(function () {
	"use strict";

	var CHARACTER = 7.23; /* width of one in the font of flame.css */
	var EPSILON = 0.0025; /* boxes are placed in thousandths of a pixel */
	var svg = document.currentScript.ownerSVGElement || document.documentElement;
	var margin = Number(svg.getAttribute("data-margin"));
	var isDown = svg.getAttribute("data-direction") === "down";
	var width = Number(svg.getAttribute("width")) - 2 * margin;
	var range = { x: margin, width: width }; /* what the zoom shows, in the whole's pixels */
	var expression = null;
	var ignoresCase = false;
	var boxes = Array.prototype.map.call(svg.querySelectorAll(".box"), readBox);
	var boxOfGroup = new Map(boxes.map(function (box) {
		return [box.group, box];
	}));

	function readBox(group) {
		var rect = group.querySelector("rect");
		var title = group.querySelector("title").textContent;
		var end = title.indexOf("\n");

		return {
			group: group,
			rect: rect,
			text: group.querySelector("text"),
			name: title.slice(0, end),
			details: title.slice(end + 1),
			x: Number(rect.getAttribute("x")),
			y: Number(rect.getAttribute("y")),
			width: Number(rect.getAttribute("width"))
		};
	}

	function get(id) {
		return svg.querySelector("#" + id);
	}

	/* --- zoom --- */

	function fit(name, pixels) {
		var room = Math.floor((pixels - 6) / CHARACTER);
		var characters;

		if (room < 3)
			return "";
		characters = Array.from(name);
		return characters.length <= room ? name : characters.slice(0, room - 1).join("") + "…";
	}

	function place(box, x, pixels, isOutside) {
		box.group.classList.remove("gone");
		box.group.classList.toggle("outside", isOutside);
		box.rect.setAttribute("x", x);
		box.rect.setAttribute("width", pixels);
		box.text.setAttribute("x", x + 3);
		box.text.textContent = fit(box.name, pixels);
	}

	function isFurtherOut(box, target) {
		return isDown ? box.y < target.y : box.y > target.y;
	}

	function isWithin(inner, outer) {
		return inner.x >= outer.x - EPSILON &&
			inner.x + inner.width <= outer.x + outer.width + EPSILON;
	}

	/* The target becomes as wide as the picture, and so does what it stands on. */
	function zoom(target) {
		var scale = width / target.width;

		range = target;
		boxes.forEach(function (box) {
			if (isFurtherOut(box, target)) {
				if (isWithin(target, box))
					place(box, margin, width, true);
				else
					box.group.classList.add("gone");
			} else if (isWithin(box, target)) {
				place(box, margin + (box.x - target.x) * scale, box.width * scale, false);
			} else {
				box.group.classList.add("gone");
			}
		});
		showMatched();
	}

	function reset() {
		range = { x: margin, width: width };
		boxes.forEach(function (box) {
			place(box, box.x, box.width, false);
		});
		showMatched();
	}

	/* --- search --- */

	function isHit(box) {
		return box.group.classList.contains("hit");
	}

	/* The share of the shown width that stands on matching boxes, each part of it counted once. */
	function matchedShare() {
		var end = -Infinity, sum = 0;

		boxes.filter(function (box) {
			return isHit(box) && isWithin(box, range);
		}).sort(function (a, b) {
			return a.x - b.x || b.width - a.width;
		}).forEach(function (box) {
			if (box.x >= end - EPSILON) {
				sum += box.width;
				end = box.x + box.width;
			}
		});
		return 100 * sum / range.width;
	}

	function showMatched() {
		get("matched").textContent = expression === null ? " " :
			"Matched: " + Math.min(100, matchedShare()).toFixed(2) + " %" +
			(ignoresCase ? " (any case)" : "");
		get("search").textContent = expression === null ? "[Search]" : "[Clear]";
	}

	function compile(text) {
		try {
			return new RegExp(text, ignoresCase ? "i" : "");
		} catch (error) {
			return error;
		}
	}

	function search(text) {
		var regex = text ? compile(text) : null;

		if (regex instanceof Error) {
			get("matched").textContent = regex.message;
			return;
		}
		expression = text || null;
		boxes.forEach(function (box) {
			box.group.classList.toggle("hit", regex !== null && regex.test(box.name));
		});
		showMatched();
	}

	function ask() {
		var text = window.prompt("Search for functions (regular expression):", expression || "");

		if (text !== null)
			search(text);
	}

	/* --- events --- */

	function boxOf(event) {
		return boxOfGroup.get(event.target.closest(".box"));
	}

	function describe(event) {
		var box = boxOf(event);

		get("info").textContent = box ? box.name + ": " + box.details : " ";
	}

	function pressed(event) {
		if ((event.ctrlKey && event.key === "f") || event.key === "F3") {
			event.preventDefault();
			ask();
		} else if (event.ctrlKey && event.key === "i") {
			event.preventDefault();
			ignoresCase = !ignoresCase;
			search(expression);
		} else if (event.key === "Escape") {
			search(null);
			reset();
		}
	}

	get("boxes").addEventListener("click", function (event) {
		var box = boxOf(event);

		if (box)
			zoom(box);
	});
	get("boxes").addEventListener("mouseover", describe);
	get("boxes").addEventListener("mouseout", function () {
		get("info").textContent = " ";
	});
	get("reset").addEventListener("click", reset);
	get("search").addEventListener("click", function () {
		if (expression === null)
			ask();
		else
			search(null);
	});
	window.addEventListener("keydown", pressed);
}());

// The changes that a mutant may bring: one small fault of the kinds that programmers make. Sources are read as text,
// which is formatted: an operator stands between spaces, and a statement that is deleted on a line of its own.

/** Names whose order may be weakened; what shows that is not the tests of behaviour but test/race and test/model. */
const ORDERED = /\b(load_u\d+_acquire|(?:store|cas)_u\d+_(?:acquire|release)|fence_(?:acquire|release))\b/g;

const SWAPS = [
  ["compares", / (<=|>=|<|>) /g, { "<": "<=", "<=": "<", ">": ">=", ">=": ">" }],
  ["compares", / (===|!==|==|!=) /g, { "==": "!=", "!=": "==", "===": "!==", "!==": "===" }],
  ["counts", / (\+|-|\+=|-=) /g, { "+": "-", "-": "+", "+=": "-=", "-=": "+=" }],
  ["joins", / (&&|\|\|) /g, { "&&": "||", "||": "&&" }],
];

/**
 * All mutants of one source: { kind, from, to, offset, length, line, text, before }, in the order of the text. The
 * last two are that line and the one before it.
 * @param {string} source
 * @param {"c" | "ts"} language
 */
export function mutantsOf(source, language) {
  const code = withoutWords(source, language);
  const texts = source.split("\n");
  const found = [];
  const add = (kind, offset, from, to) => {
    const line = source.slice(0, offset).split("\n").length;
    const [before, text] = [line - 2, line - 1].map((i) => texts[i]?.trim());
    found.push({ kind, offset, length: from.length, from, to, line, before, text });
  };
  for (const [kind, pattern, swap] of SWAPS)
    for (const match of code.matchAll(pattern)) add(kind, match.index + 1, match[1], swap[match[1]]);
  for (const match of code.matchAll(/(?<![\w.])\d+(?=u?\b)(?![\w.]*[xa-fn])/g))
    add("off by one", match.index, match[0], String(Number(match[0]) + 1));
  for (const match of code.matchAll(/\breturn (true|false);/g))
    add("answers", match.index + 7, match[1], match[1] === "true" ? "false" : "true");
  for (const match of code.matchAll(/\b(?:if|while) \(/g)) {
    const open = match.index + match[0].length - 1;
    const condition = source.slice(open, closing(code, open));
    add("negates", open, condition, `(!${condition})`);
  }
  const call =
    /^ +(?!return|const|let|break|continue|typedef|static)(?:\(void\)|await )?[a-z][\w.>[\]-]*(?: [-+|&]?= |\(|\+\+|--).*;$/gm;
  for (const match of code.matchAll(call)) {
    if (!/[;{})]\s*$/.test(code.slice(0, match.index))) continue; // the end of a longer one
    const statement = source.slice(match.index, match.index + match[0].length).trim();
    add("deletes", match.index + match[0].indexOf(match[0].trim()), statement, ";");
  }
  if (language === "c")
    for (const match of code.matchAll(ORDERED)) {
      const [from] = match;
      if (from.startsWith("fence")) add("order", match.index, from, "(void)");
      else add("order", match.index, from, from.replace(/acquire|release/, "relaxed"));
    }
  return found.sort((a, b) => a.offset - b.offset || a.kind.localeCompare(b.kind));
}

/** The source with the mutant in it. */
export function withMutant(source, { offset, length, to }) {
  return source.slice(0, offset) + to + source.slice(offset + length);
}

/** The same text with blanks in place of comments, strings, lines for the preprocessor and code for other machines. */
function withoutWords(source, language) {
  const words = [/\/\*[\s\S]*?\*\//, /"(?:\\.|[^"\\\n])*"/, /'(?:\\.|[^'\\\n])'/, /\/\/.*/];
  if (language === "c")
    words.push(
      /^#(?:el)?if defined\((?:__ARM_NEON|__aarch64__|FC_TSAN)\)[\s\S]*?(?=^#e)/,
      /^#(?:.*\\\n)*.*/,
      /^FC_LAYOUT_ASSERT.*/,
    );
  else words.push(/`(?:\\.|[^`\\])*`/, /^(?:import|export type|export interface) [\s\S]*?;$/);
  const pattern = new RegExp(words.map((word) => word.source).join("|"), "gm");
  return source.replace(pattern, (text) => text.replace(/[^\n]/g, " "));
}

/** Behind the parenthesis that closes the one at `open`. */
function closing(code, open) {
  let depth = 0;
  for (let i = open; i < code.length; i++) {
    if (code[i] === "(") depth++;
    if (code[i] === ")" && --depth === 0) return i + 1;
  }
  return code.length;
}

/** What a step makes or fills in the file. `search` is a full-text index, `rows` are those of one table. */
export const stepKinds = ["table", "search", "index", "view", "trigger", "rows", "rebuild"] as const;
export type StepKind = (typeof stepKinds)[number];

export const searchModules: ReadonlySet<string> = new Set(["fts5"]);

/** The tables that SQLite makes behind a full-text index. */
export const searchParts = ["data", "idx", "content", "docsize", "config"] as const;

/** Virtual tables that return the parts of a value and read nothing else. */
export const valueTables: ReadonlySet<string> = new Set(["json_each", "json_tree"]);

/**
 * Functions that only compute with values. Those that read or change anything else, reveal something about the machine
 * or belong to an extension are left out: load_extension, fts3_tokenizer, sqlite_log, sqlite_compileoption_get etc.
 * https://www.sqlite.org/lang_corefunc.html and the related pages
 */
export const allowedFunctions: ReadonlySet<string> = new Set(
  [
    "abs ceil ceiling changes char coalesce concat concat_ws floor format glob hex if ifnull iif instr length like",
    "likelihood likely lower ltrim max min nullif octet_length printf quote random randomblob replace round rtrim",
    "sign soundex sqlite_version substr substring trim typeof unhex unicode unistr unistr_quote unlikely upper",
    "zeroblob",
    "acos acosh asin asinh atan atan2 atanh cos cosh degrees exp ln log log10 log2 mod pi pow power radians sin sinh",
    "sqrt tan tanh trunc",
    "current_date current_time current_timestamp date datetime julianday strftime time timediff unixepoch",
    "-> ->> json json_array json_array_insert json_array_length json_error_position json_extract json_group_array",
    "json_group_object json_insert json_object json_patch json_pretty json_quote json_remove json_replace json_set",
    "json_type json_valid jsonb jsonb_array jsonb_array_insert jsonb_extract jsonb_group_array jsonb_group_object",
    "jsonb_insert jsonb_object jsonb_patch jsonb_remove jsonb_replace jsonb_set",
    "avg count group_concat median percentile percentile_cont percentile_disc string_agg sum total",
    "cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number",
    "bm25 highlight match snippet",
  ]
    .join(" ")
    .split(" "),
);

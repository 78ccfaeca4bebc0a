# shellcheck shell=sh
# The few strings that are wanted of a JSON document.

# fetch_json URL: sets values to the strings of the answer, one "path<TAB>value" a line
fetch_json() {
	fetch "$1" "$work/answer" || return 1
	! is_web_page "$work/answer" || set_portal || return 1
	values=$(json_strings "$work/answer") || set_problem bad-answer "$host answered with something that is not JSON" || return 1
}

set_portal() {
	set_problem captive-portal "$host answered with a web page, perhaps the login page of your network"
}

# is_web_page FILE: HTML where something else is due. The tr of some systems refuses bytes that are no text.
is_web_page() {
	case $(head -c 512 "$1" | od -An -v -tu1 | awk '{
		for (i = 1; i <= NF; i++) if ($i > 31 && $i < 127) printf "%s", tolower(sprintf("%c", $i)) }') in
		*'<!doctype html'* | *'<html'* | *'<head'* | *'<script'*) ;;
		*) return 1 ;;
	esac
}

# json_strings FILE: "path<TAB>value" for each string, such as "dist.tarball<TAB>https://..." or "assets.0.name<TAB>
# wasp.tar.gz". It reads what stands between quotes in turn, so that a long string costs no more than its length.
# What it prints is checked by whoever uses it.
json_strings() {
	awk 'BEGIN { RS = "\"" }
		function path(    i, joined) {
			for (i = 1; i <= depth; i++) joined = joined (i > 1 ? "." : "") name[i]
			return joined
		}
		inside {
			# A quote behind an odd number of backslashes does not end the string.
			run = 0
			while (run < length($0) && substr($0, length($0) - run, 1) == "\\") run++
			# A longer one is neither a version nor an address.
			if (length(value) < 4096) value = value substr($0, 1, 4096) (run % 2 ? "\"" : "")
			if (run % 2) next
			inside = 0; ended = 1
			next
		}
		{
			if (ended && $0 ~ /^[ \t\r\n]*:/) name[depth] = value
			else if (ended && length(value) < 4096) {
				gsub(/\\\//, "/", value)
				# Some servers write ">" so.
				gsub(/\\u003[eE]/, ">", value)
				gsub(/[[:cntrl:]]/, " ", value)
				print path() "\t" value
			}
			ended = 0; value = ""; inside = 1
			text = $0
			if (length(text) > 65536) exit 1
			while (match(text, /[][{},]/)) {
				c = substr(text, RSTART, 1)
				text = substr(text, RSTART + 1)
				if (c == "{" || c == "[") {
					if (++depth > 100) exit 1
					kind[depth] = c; name[depth] = (c == "[") ? 0 : ""
				} else if (c != ",") {
					if (--depth < 0) exit 1
				} else if (kind[depth] == "[") name[depth]++
			}
		}
		END { if (depth != 0 || !kind[1]) exit 1 }' "$1" 2>/dev/null
}

# print_values: in some shells printf is a program, and no program takes an argument as long as $values may be
print_values() {
	cat <<VALUES
$values
VALUES
}

# pick PATH: sets picked to the value of PATH among the "path<TAB>value" lines of $values, or to nothing. In awk, since
# shells take the square of the length of a text to cut it.
pick() {
	picked=$(print_values | awk -v path="$1" -F '\t' '
		$1 == path && !found { print substr($0, length(path) + 2); found = 1 }')
}

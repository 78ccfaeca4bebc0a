# shellcheck shell=sh
# The few strings that are wanted of a JSON document.

# fetch_json URL: reads the strings of the answer
fetch_json() {
	fetch "$1" "$work/answer" || return 1
	# Some servers keep their files compressed, and hand them out as they are.
	read_json "$work/answer" || {
		! is_web_page "$work/answer" && set_problem bad-answer \
			"$host answered with something that is not JSON$(! is_compressed "$work/answer" || printf ', but gzip')"
	}
}

# is_web_page FILE: HTML where something else is due; sets the problem
is_web_page() {
	head -c 512 "$1" | grep -qiE '<!doctype html|<html|<head|<script' && ! set_portal_problem
}

set_portal_problem() {
	set_problem captive-portal "$host answered with a web page, perhaps the login page of your network"
}

# read_json FILE: writes "path<TAB>value" for each string to $work/values, such as "dist.tarball<TAB>https://..." or
# "assets.0.name<TAB>wasp.tar.gz". It reads what stands between quotes in turn, so that a long string costs no more than
# its length. What it finds is checked by whoever uses it.
read_json() {
	awk 'BEGIN { RS = "\"" }
		NR == 1 && /</ { exit 1 }
		inside {
			# A quote behind an odd number of backslashes does not end the string.
			run = 0
			while (run < length($0) && substr($0, length($0) - run, 1) == "\\") run++
			# A longer one is neither a version nor an address.
			if (length(value) < 4096) value = value substr($0, 1, 4096) (run % 2 ? "\"" : "")
			inside = run % 2
			next
		}
		{
			if (NR > 1 && /^[ \t\r\n]*:/) name[depth] = value
			else if (NR > 1) {
				gsub(/\\\//, "/", value)
				# Some servers write ">" so.
				gsub(/\\u003[eE]/, ">", value)
				gsub(/[[:cntrl:]]/, " ", value)
				print folder[depth] name[depth] "\t" value
			}
			value = ""; inside = 1
			gsub(/[^][{},]/, "")
			if (length($0) > 65536) exit 1
			for (i = 1; i <= length($0); i++) {
				c = substr($0, i, 1)
				if (c == "{" || c == "[") {
					if (++depth > 100) exit 1
					folder[depth] = folder[depth - 1] name[depth - 1] (depth > 1 ? "." : "")
					kind[depth] = c; name[depth] = (c == "[") ? 0 : ""
				} else if (c != ",") {
					if (--depth < 0) exit 1
				} else if (kind[depth] == "[") name[depth]++
			}
		}
		END { if (depth != 0 || !kind[1]) exit 1 }' "$1" >"$work/values" 2>/dev/null
}

# pick PATH: sets picked to the first value of PATH, or to nothing
pick() {
	picked=$(awk -v path="$1" -F '\t' '$1 == path { print $2; exit }' "$work/values")
}

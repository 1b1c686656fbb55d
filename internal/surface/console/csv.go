package console

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"strings"
)

// table answers with a CSV file.
func table(name string, rows [][]string) answer {
	return answer{raw: func(w http.ResponseWriter) error {
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name))
		out := csv.NewWriter(w)
		for _, row := range rows {
			safe := make([]string, len(row))
			for i, cell := range row {
				safe[i] = cellText(cell)
			}
			if err := out.Write(safe); err != nil {
				return err
			}
		}
		out.Flush()
		return out.Error()
	}}
}

// cellText makes a cell that no spreadsheet takes for a formula.
func cellText(s string) string {
	s = visible(s)
	if t := strings.TrimLeft(s, " '\""); t != "" && strings.ContainsRune("=+-@\t\r|%\uFF1D\uFF0B\uFF0D\uFF20", []rune(t)[0]) {
		return "'" + s
	}
	return s
}

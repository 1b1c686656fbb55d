package console

import (
	"net/http"
)

// themeCookie keeps how somebody wants pages to look.
const themeCookie = "waxwing-theme"

func themeOf(r *http.Request) string {
	if c, err := r.Cookie(themeCookie); err == nil && (c.Value == "light" || c.Value == "dark") {
		return c.Value
	}
	return ""
}

func (c *Console) registerTheme() {
	c.open(route{method: "POST", path: "/theme"}, func(r *request) (answer, error) {
		age := 365 * 24 * 3600
		theme := r.text("theme")
		if theme != "light" && theme != "dark" {
			theme, age = "", -1
		}
		http.SetCookie(r.w, &http.Cookie{
			Name: themeCookie, Value: theme, Path: Prefix + "/", MaxAge: age, HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteLaxMode,
		})
		return answer{to: localPath(r.text("back"), address())}, nil
	})
}

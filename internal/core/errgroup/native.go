package errgroup

import (
	"strconv"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// systemClasses begin the names of classes that are not the app's own.
var systemClasses = [...]string{
	"android.", "androidx.", "com.android.", "com.google.android.", "java.", "javax.", "jdk.", "sun.", "dalvik.", "libcore.",
	"kotlin.", "kotlinx.", "com.getcapacitor.", "ee.forgr.", "org.chromium.", "com.squareup.", "okhttp3.", "org.apache.",
}

// javaFrame reads what follows "at " in a stack of Java or Kotlin:
// "pkg.Class.method(File.java:12)", with "Native Method" or "Unknown Source".
func javaFrame(s string) (ota.ErrorFrame, bool) {
	open := strings.IndexByte(s, '(')
	if open <= 0 || !strings.HasSuffix(s, ")") || s[open-1] == ' ' {
		return ota.ErrorFrame{}, false
	}
	name, where := s[:open], s[open+1:len(s)-1]
	if strings.ContainsAny(name, " :@") || !strings.Contains(name, ".") || strings.Contains(where, "/") {
		return ota.ErrorFrame{}, false
	}
	if i := strings.LastIndexByte(name, '/'); i >= 0 { // the module or class loader in front
		name = name[i+1:]
	}
	file, line := where, 0
	if before, n, ok := cutNumber(where); ok {
		file, line = before, n
	}
	f := ota.ErrorFrame{Func: text(plainLambda(name), maxName), File: text(file, maxName), Line: line, InApp: true}
	for _, p := range systemClasses {
		if strings.HasPrefix(name, p) {
			f.InApp = false
			break
		}
	}
	return f, true
}

// plainLambda leaves out the numbers that compilers give to lambdas.
func plainLambda(s string) string {
	for _, mark := range [...]string{"$$ExternalSyntheticLambda", "$$Lambda$", "$r8$lambda$", "$lambda$", "lambda$"} {
		if i := strings.Index(s, mark); i >= 0 {
			end := i + len(mark)
			if j := strings.LastIndexByte(s[end:], '.'); j >= 0 {
				return s[:i] + "$lambda" + s[end+j:]
			}
			return s[:i] + "$lambda"
		}
	}
	return s
}

// nativeFrame reads a frame of a native crash of Android:
// "#00 pc 000000000004f7b8  /system/lib64/libc.so (abort+168)".
func nativeFrame(s string) (ota.ErrorFrame, bool) {
	if !strings.HasPrefix(s, "#") {
		return ota.ErrorFrame{}, false
	}
	w := strings.Fields(s)
	if len(w) < 4 || w[1] != "pc" {
		return ota.ErrorFrame{}, false
	}
	lib := w[3][strings.LastIndexByte(w[3], '/')+1:]
	f := ota.ErrorFrame{File: text(lib, maxName)}
	if len(w) > 4 && strings.HasPrefix(w[4], "(") && !strings.HasPrefix(w[4], "(BuildId") && !strings.HasPrefix(w[4], "(offset") {
		name := strings.Trim(strings.Join(w[4:], " "), "()")
		if i := strings.LastIndexByte(name, '+'); i > 0 {
			name = name[:i]
		}
		f.Func = text(name, maxName)
	}
	f.InApp = strings.HasPrefix(w[3], "/data/app/")
	return f, true
}

// systemImages are binaries of iOS apps that are not the app's own.
var systemImages = [...]string{
	"libsystem", "libobjc", "libdispatch", "libswift", "libc++", "libsqlite", "dyld", "UIKit", "Foundation", "CoreFoundation", "CFNetwork",
	"Core", "Graphics", "Quartz", "WebKit", "WebCore", "JavaScriptCore", "Security", "Capacitor", "Cordova", "Swift", "BoardServices", "FrontBoard", "RunningBoard",
}

// imageFrame reads a frame of a crash text of iOS: "3   MyApp  0x0000000104a3c
// cart.total() + 124", or with "MyApp + 1234" as the place.
func imageFrame(s, app string) (ota.ErrorFrame, bool) {
	w := strings.Fields(s)
	if len(w) < 3 {
		return ota.ErrorFrame{}, false
	}
	if _, err := strconv.ParseUint(w[0], 10, 16); err != nil {
		return ota.ErrorFrame{}, false
	}
	at := -1
	for i := 2; i < len(w) && i < 8; i++ { // the name of a binary may have spaces
		if strings.HasPrefix(w[i], "0x") {
			at = i
			break
		}
	}
	if at < 0 {
		return ota.ErrorFrame{}, false
	}
	image := strings.Join(w[1:at], " ")
	name := strings.Join(w[at+1:], " ")
	if i := strings.LastIndex(name, " + "); i >= 0 {
		name = name[:i]
	}
	f := ota.ErrorFrame{File: text(image, maxName)}
	if name != image && !strings.HasPrefix(name, "0x") {
		f.Func = text(name, maxName)
	}
	if file, line := sourceOf(w); file != "" {
		f.File, f.Line = text(file, maxName), line
		if i := strings.LastIndex(f.Func, " ("); i >= 0 {
			f.Func = f.Func[:i]
		}
	}
	f.InApp = app == image || app == "" && !systemImage(image)
	return f, true
}

// sourceOf reads "(Cart.swift:42)" at the end of a symbolicated frame.
func sourceOf(w []string) (string, int) {
	last := w[len(w)-1]
	if !strings.HasPrefix(last, "(") || !strings.HasSuffix(last, ")") {
		return "", 0
	}
	file, line, ok := cutNumber(last[1 : len(last)-1])
	if !ok {
		return "", 0
	}
	return file, line
}

func systemImage(s string) bool {
	for _, p := range systemImages {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// crashLine reads a line at the head of a crash text of iOS. It returns the name
// of the app's binary if the line says it.
func crashLine(t *Trace, line string) (app string, ok bool) {
	if rest, ok := strings.CutPrefix(line, "*** Terminating app due to uncaught exception '"); ok {
		name, rest, _ := strings.Cut(rest, "'")
		t.Type = text(name, maxName)
		if _, reason, ok := strings.Cut(rest, "reason: '"); ok {
			t.Message = text(strings.TrimSuffix(reason, "'"), maxText)
		}
		return "", true
	}
	key, value, found := strings.Cut(line, ":")
	if !found {
		return "", false
	}
	value = strings.TrimSpace(value)
	switch key {
	case "Exception Type", "exception_type":
		t.Type = text(value, maxName)
	case "Exception Reason", "Application Specific Information", "Termination Reason":
		if value != "" {
			t.Message = text(value, maxText)
		}
	case "Process":
		app, _, _ = strings.Cut(value, " [")
	case "Exception Codes", "Triggered by Thread", "Thread 0 Crashed", "Thread 0 name", "Incident Identifier", "Hardware Model", "Path", "Identifier",
		"Version", "Code Type", "Role", "Parent Process", "Coalition", "Date/Time", "Launch Time", "OS Version", "Report Version", "Exception Subtype":
	default:
		return "", false
	}
	return app, true
}

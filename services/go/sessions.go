package main

import (
	"encoding/base64"
	"net/http"

	"github.com/gorilla/securecookie"
)

const (
	cookieName    = "session"
	sessionMaxAge = 8 * 60 * 60
)

// Sessions signs user names into cookies and reads them back.
type Sessions struct {
	codec *securecookie.SecureCookie
}

// NewSessions makes sessions that are signed with secret.
func NewSessions(secret []byte) *Sessions {
	codec := securecookie.New(secret, nil).MaxAge(sessionMaxAge).SetSerializer(securecookie.JSONEncoder{})
	return &Sessions{codec}
}

type user struct {
	Username string `json:"username"`
}

func (service *Service) logIn(w http.ResponseWriter, r *http.Request) error {
	document, err := readJSON(r)
	if err != nil {
		return err
	}
	name, err := username(document)
	if err != nil {
		return err
	}
	value, err := service.sessions.codec.Encode(cookieName, user{name})
	if err != nil {
		return err
	}
	http.SetCookie(w, cookie(value, sessionMaxAge))
	return answer(w, http.StatusCreated, user{name})
}

func (service *Service) logOut(w http.ResponseWriter, _ *http.Request) error {
	http.SetCookie(w, cookie("", -1))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (service *Service) me(w http.ResponseWriter, r *http.Request) error {
	given, err := r.Cookie(cookieName)
	if err != nil {
		return unauthorized()
	}
	var known user
	// A last character has bits that stand for nothing; securecookie takes it whatever they are.
	if _, err := base64.URLEncoding.Strict().DecodeString(given.Value); err != nil {
		return unauthorized()
	}
	if err := service.sessions.codec.Decode(cookieName, given.Value, &known); err != nil {
		return unauthorized()
	}
	return answer(w, http.StatusOK, known)
}

func cookie(value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: cookieName, Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}
